/** The host name at which FlukeDeploy itself is reached; it wants a certificate as well. */
export class CaptainName {
  constructor(readonly host: string | undefined) {}
}
