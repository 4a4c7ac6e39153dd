/**
 * The client of OpenAI that the story activities want. Address, organisation and project come from the SDK's own variables
 * (`OPENAI_BASE_URL`, `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID`), so the same code talks to OpenAI and to the embedded platform.
 *
 * @module
 */
import OpenAI from 'openai';

/** Until an answer begins; each call says for itself how long it may take in all. */
const PATIENCE_MS = 120_000;

/** @param apiKey the setting openaiKey, not empty */
export const openOpenAi = (apiKey: string): OpenAI =>
  new OpenAI({
    apiKey,
    // Retries are Temporal's: they are seen there, wait as long as the API asks for, and look first for what was paid already.
    maxRetries: 0,
    timeout: PATIENCE_MS,
    // Whatever OPENAI_LOG says: the SDK would log prompts and texts.
    logLevel: 'off',
  });
