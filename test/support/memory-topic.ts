/**
 * One topic of SNS over its query protocol, and what was published to it.
 *
 * @module
 */
import { AwsError, type AwsService } from '../../infra/local/kit/service.ts';
import { toXml, type XmlObject } from '../../infra/local/kit/xml.ts';

export const TOPIC = 'arn:aws:sns:us-east-1:123456789012:moon';
const NAMESPACE = 'http://sns.amazonaws.com/doc/2010-03-31/';
const SUBJECT = /^[\x21-\x7E][\x20-\x7E]{0,98}$/;

export interface MemoryTopic {
  service: AwsService;
  published: { subject: string; message: string }[];
}

export function memoryTopic(): MemoryTopic {
  const published: MemoryTopic['published'] = [];
  const xml = (status: number, root: string, content: XmlObject) => ({
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<${root} xmlns="${NAMESPACE}">${toXml(content)}</${root}>`,
  });
  return {
    published,
    service: {
      names: ['sns'],
      async prepare(request) {
        const form = new URLSearchParams((await request.bytes()).toString('utf8'));
        const [topic = '', subject = '', message = ''] = ['TopicArn', 'Subject', 'Message'].map(
          (name) => form.get(name) ?? '',
        );
        return {
          operation: form.get('Action') ?? '',
          subject: topic,
          async run() {
            if (topic !== TOPIC) throw new AwsError('NotFound', 'Topic does not exist', 404);
            if (!SUBJECT.test(subject)) throw new AwsError('InvalidParameter', 'Invalid parameter: Subject');
            if (message === '') throw new AwsError('InvalidParameter', 'Invalid parameter: Empty message');
            published.push({ subject, message });
            return xml(200, 'PublishResponse', {
              PublishResult: { MessageId: `message-${published.length}` },
              ResponseMetadata: { RequestId: 'request' },
            });
          },
        };
      },
      renderError: ({ code, message, status }) =>
        xml(status, 'ErrorResponse', {
          Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
          RequestId: 'request',
        }),
    },
  };
}
