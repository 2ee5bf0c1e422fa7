/** What the delivery to FlukeBase is set to; provided by the composition root. */
export class FlukeBaseOptions {
  constructor(
    /** Whether there is a token: without one nothing is sent and nothing is kept. */
    readonly isOn: boolean,
    /** Such as https://flukebase.me/api/v1. */
    readonly url: string,
    /** Of this server, as people reach it; empty where nobody has said. */
    readonly origin: string,
  ) {}
}
