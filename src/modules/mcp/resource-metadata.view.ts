/** What the MCP server tells of itself as a protected resource, as RFC 9728 has it. */
export class ResourceMetadataView {
  /** Its address. */
  resource!: string;
  resource_name!: string;
  scopes_supported!: string[];
  /** Tokens are made by `POST /api/v1/tokens`; there is no authorization server. */
  bearer_methods_supported!: string[];
}
