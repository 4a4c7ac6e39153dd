/**
 * Sends an order over a live connection and shows how it goes: `node dist/order-demo.js [route] [payment]`.
 *
 * @module
 */
import { WebSocket } from 'ws';
import { findGateway } from '../../clients/cli/gateway.ts';
import { connectLive, type WebSocketType } from '../../clients/live/client.ts';

const [route = 'direct', payment = 'accepted'] = process.argv.slice(2);

async function main(): Promise<void> {
  const url = await findGateway(undefined);
  const live = connectLive({ url, WebSocket: WebSocket as unknown as WebSocketType });
  const { run = '', output } = await live.request('order.send', { orderId: `demo-${Date.now()}`, route, payment });
  console.log(`${run} is sent: ${JSON.stringify(output)}`);
  const status = await new Promise<string>((resolve, reject) => {
    live.watch(run, {
      from: 'start',
      onResume: ({ verdict }) => console.log(`  (${verdict})`),
      onEvent({ seq, kind, status, message, steps = [], error }) {
        const said = [
          ...(status === undefined ? [] : [status]),
          ...(message ? [message] : []),
          ...steps.map(({ name, state }) => `${name} ${state.toLowerCase()}`),
          ...(error ? [error.message] : []),
        ];
        console.log(`${String(seq).padStart(4)}  ${said.join(', ')}`);
        if (kind === 'end') resolve(status ?? '');
      },
      onError: reject,
    });
  });
  live.close();
  process.exitCode = status === 'COMPLETE' ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
