/**
 * The stand-in for Amazon Polly over its restJson protocol: SynthesizeSpeech, which really speaks, and DescribeVoices.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { jsonError, parseJsonBody } from '../../kit/json-protocol.ts';
import { AwsError, type AwsRequest, type AwsResponse, type AwsService } from '../../kit/service.ts';
import { TokenBucket } from '../../kit/token-bucket.ts';
import { silent, ToolError, tools } from '../../tools/index.ts';
import { LEAD_SECONDS, resample, toMp3, toOggVorbis, toPcm } from './audio.ts';
import { readSpeechRequest, type SpeechRequest } from './input.ts';
import { speechMarks, writeMarks } from './marks.ts';
import { SpeechQuotas } from './rates.ts';
import { createSpeaker, type Speaker, SpeakerError } from './speaker.ts';
import { describeVoices, type Engine } from './voices.ts';

/** Polly's quota of DescribeVoices. */
const VOICES_RATE = { perSecond: 80, burst: 100 };
const BODY_LIMIT = 1024 * 1024;

const CONTENT_TYPES = {
  mp3: 'audio/mpeg',
  ogg_vorbis: 'audio/ogg',
  pcm: 'audio/pcm',
  json: 'application/x-json-stream',
} as const;

/** Words a minute: a calm reader's. The newer engines of Polly speak somewhat slower than its oldest one. */
const PACE: Readonly<Record<Engine, number>> = { standard: 165, neural: 155, 'long-form': 150, generative: 150 };

export function createPolly({ kit }: { kit: Kit }): { service: AwsService } {
  const quotas = new SpeechQuotas(kit.clock);
  const voices = new TokenBucket(kit.clock, VOICES_RATE);
  const speaker = createSpeaker(async () => (await tools.voice(silent)).python);
  return {
    service: {
      names: ['polly'],
      async prepare(request) {
        const { method, path } = request;
        if (method === 'GET' && path === '/v1/voices') {
          return {
            operation: 'DescribeVoices',
            subject: '',
            async run() {
              if (!voices.take()) throw new AwsError('ThrottlingException', 'Rate exceeded');
              return json(describeVoices(request.query));
            },
          };
        }
        if (method === 'POST' && path === '/v1/speech') return synthesize(request, quotas, speaker);
        throw new AwsError('UnknownOperationException', `unknown operation: ${method} ${path}`, 404);
      },
      renderError: (error) => jsonError(error),
      close: () => speaker.close(),
    },
  };
}

async function synthesize(request: AwsRequest, quotas: SpeechQuotas, speaker: Speaker) {
  const input = parseJsonBody(await request.bytes(BODY_LIMIT));
  const asked = ['VoiceId', 'OutputFormat'].map((name) => (typeof input[name] === 'string' ? input[name] : ''));
  return {
    operation: 'SynthesizeSpeech',
    subject: asked.join('/'),
    async run(): Promise<AwsResponse> {
      const speech = readSpeechRequest(input);
      const body = await quotas.within(speech.engine, () => speak(speech, speaker));
      const headers = {
        'content-type': CONTENT_TYPES[speech.output.format],
        'x-amzn-requestcharacters': String(speech.spoken.billed),
      };
      return { status: 200, headers, body };
    },
  };
}

async function speak({ voice, engine, output, source, spoken }: SpeechRequest, speaker: Speaker) {
  const { espeak, pitch, language } = voice;
  const utterance = { voice: espeak, pitch, wordsPerMinute: PACE[engine], text: spoken.text };
  const { pcm, rate, events } = await speaker.speak(utterance).catch(failed);
  if (output.format === 'json') {
    const toMs = (sample: number) => (LEAD_SECONDS + sample / rate) * 1000;
    return writeMarks(speechMarks(spoken, source, language, events, pcm.length, toMs), output.marks);
  }
  const samples = resample(pcm, rate, output.rate);
  if (output.format === 'pcm') return toPcm(samples);
  return output.format === 'mp3' ? toMp3(samples, output.rate) : toOggVorbis(samples, output.rate);
}

function failed(error: unknown): never {
  if (!(error instanceof SpeakerError || error instanceof ToolError)) throw error;
  console.error(error.message);
  throw new AwsError('ServiceFailureException', error.message, 500);
}

const json = (body: unknown): AwsResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
