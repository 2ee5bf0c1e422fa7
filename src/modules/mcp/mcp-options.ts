/** What the composition root decides about the MCP server. */

const THIS_MACHINE = ['localhost', '127.0.0.1', '[::1]'];

export class McpOptions {
  /** Host names whose pages may call it from a browser. */
  readonly pageHosts: string[];

  constructor(
    readonly version: string,
    rootDomain: string | undefined,
    /** For the conformance suite: never in production. */
    readonly conformanceFixtures: boolean,
    /** How often the credentials behind an open answer are looked at again. */
    readonly recheckTokenMs = 60_000,
  ) {
    this.pageHosts = [...THIS_MACHINE, ...(rootDomain === undefined ? [] : [`captain.${rootDomain}`])];
  }
}
