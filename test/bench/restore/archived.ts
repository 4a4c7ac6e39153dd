/**
 * Many small archived objects in the S3 stand-in, put through its protocol. A plain client of HTTP: what the SDK spends
 * on a request is several times what the stand-in does.
 *
 * @module
 */
import { Agent, request } from 'node:http';

/** The stand-in takes one thread: a few requests on their way keep it busy. */
const WIDTH = 64;

export interface Door {
  url: string;
  region: string;
  accessKeyId: string;
}

/** Keys of `count` objects below a prefix, as sequencers name their files: about 60 characters. */
export const keyOf = (prefix: string, nth: number): string => {
  const number = String(nth).padStart(10, '0');
  return `${prefix}run-${number.slice(0, 5)}/plate-${number.slice(0, 8)}/sample-${number}.fastq.gz`;
};

/** Puts empty objects in the storage class GLACIER. */
export async function putArchived(door: Door, bucket: string, prefix: string, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: WIDTH });
  // The stand-ins tell the service from the scope, and check no signature.
  const scope = `${door.accessKeyId}/${new Date().toISOString().slice(0, 10).replaceAll('-', '')}/${door.region}/s3`;
  const headers = {
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}/aws4_request, SignedHeaders=host, Signature=none`,
    'x-amz-storage-class': 'GLACIER',
    'content-length': '0',
  };
  const put = (key: string) =>
    new Promise<void>((resolve, reject) => {
      const sent = request(`${door.url}/${bucket}/${key}`, { agent, method: 'PUT', headers }, (answer) => {
        answer.resume();
        answer.once('end', () =>
          answer.statusCode === 200 ? resolve() : reject(new Error(`${key}: ${answer.statusCode}`)),
        );
      });
      sent.once('error', reject);
      sent.end();
    });
  let next = 0;
  const lane = async () => {
    while (next < count) {
      next += 1;
      await put(keyOf(prefix, next));
    }
  };
  try {
    await Promise.all(Array.from({ length: WIDTH }, lane));
  } finally {
    agent.destroy();
  }
}
