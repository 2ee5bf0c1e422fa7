/** The process of NamespaceGate: whom it lets in has come from outside, what it connects to is inside. */
import { connect, type Server, type Socket } from 'node:net';

process.on('message', (target: string, outside: Server) => {
  const [host, port] = target.split(':');
  outside.on('connection', (from: Socket) => {
    const to = connect({ host: host ?? '', port: Number(port) });
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
});
process.on('disconnect', () => process.exit());
