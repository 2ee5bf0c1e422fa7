/** The part of dockerode that opens a BuildKit session; @types/dockerode does not know it. */
declare module 'dockerode/lib/session.js' {
  import type Docker from 'dockerode';

  /**
   * Gives the Engine a channel to ask back over.
   * @param auth offered to every registry that the build asks, whichever it is
   * @param handler is called once; `done` must be called in the end, or the channel stays open for ever
   */
  export default function withSession(
    docker: Docker,
    auth: Docker.AuthConfigObject | undefined,
    handler: (error: Error | null, sessionId: string | null, done: () => void) => void,
  ): void;
}
