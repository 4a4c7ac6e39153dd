/**
 * Requests to the metadata endpoints of EC2 and ECS. By `node:http`: `fetch` takes longer to load and to ask than these
 * endpoints to answer.
 *
 * @module
 */
import { request } from 'node:http';

/**
 * @returns the text of the answer
 * @throws Error when the endpoint cannot be reached in time, or does not answer with a 2xx status
 */
export function ask(
  url: string,
  options: { method?: 'GET' | 'PUT'; headers?: Readonly<Record<string, string>>; timeoutMs?: number } = {},
): Promise<string> {
  const { method = 'GET', headers = {}, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    // A connection of its own: one that is kept may be closed by the other side just as it is used again.
    const asked = request(url, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.once('error', reject);
      answer.once('end', () => {
        clearTimeout(timer);
        const status = answer.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve(text);
        else reject(new Error(`${url} answered ${status}`));
      });
    });
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => asked.destroy(new Error(`${url} did not answer within ${timeoutMs} ms`)), timeoutMs);
    asked.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asked.end();
  });
}
