/**
 * `workflowType: wdl`: miniwdl runs a WDL document, with its call cache in the working folder. It needs a container runtime
 * or a backend that the head's image is set up for (MINIWDL_CFG, MINIWDL__SCHEDULER__CONTAINER_BACKEND).
 *
 * @module
 */
import { quoteForShell } from '../sheet/template.ts';
import {
  clip,
  DATA,
  declaredOutputs,
  type LogParser,
  type LogPicture,
  MADE,
  parameterFile,
  type TaskFailure,
  TaskTable,
  type WorkflowTypePlugin,
} from './plugin.ts';

const CACHE = 'call-cache';

export const wdl: WorkflowTypePlugin = {
  name: 'wdl',
  title: 'miniwdl',
  definition: 'yes',
  // An entry of the call cache is written when its call has ended; it names files below runs/.
  state: { keep: [`${CACHE}/**`, 'runs/**'], leave: [], markers: [`${CACHE}/**`] },

  plan({ sheet, definition }) {
    const words = [
      'miniwdl',
      'run',
      '--no-color',
      '--verbose',
      ...['--dir', 'runs/'],
      ...['-i', `${MADE}/inputs.json`],
      ...(sheet.head.arguments ?? []),
      definition?.path ?? '',
    ];
    // miniwdl leaves its outputs below the folder of the run that made them; the last one is linked as _LAST.
    const script = `${words.map(quoteForShell).join(' ')}\nmkdir -p results\ncp -RL runs/_LAST/out/. results/\ncp runs/_LAST/outputs.json results/outputs.json`;
    return {
      main: { kind: 'command', script },
      inputs: [],
      outputs: declaredOutputs(sheet),
      environment: {
        MINIWDL__CALL_CACHE__DIR: `/longhaul/work/outputs/${CACHE}`,
        MINIWDL__CALL_CACHE__GET: 'true',
        MINIWDL__CALL_CACHE__PUT: 'true',
      },
    };
  },

  artifacts: ({ sheet }, found) => [
    { name: 'inputs.json', text: parameterFile(sheet, found, (path) => `${DATA}/${path}`) },
  ],

  parser: () => new MiniwdlLog(),
};

/** What miniwdl 1 says on standard error. */
class MiniwdlLog implements LogParser {
  readonly #tasks = new TaskTable();
  /** Job to task. */
  readonly #jobs = new Map<string, string>();
  readonly #failures: TaskFailure[] = [];
  readonly #stderr = new Map<string, string[]>();
  #problem: string[] = [];

  read(line: string): void {
    const entry = /^\d{4}-\d\d-\d\d \S+ (\S+) ([A-Z]+) (.*)$/.exec(line);
    if (!entry) {
      if (this.#problem.length > 0 || /^\(.* Ln \d+ Col \d+\)|^(SyntaxError|ImportError|InvalidType)/.test(line))
        this.#problem.push(line);
      return;
    }
    const [, source = '', level, text = ''] = entry;
    const ready = /^ready :: job: "([^"]+)", callee: "([^"]+)"/.exec(text);
    if (ready) {
      this.#jobs.set(ready[1] ?? '', ready[2] ?? '');
      this.#tasks.get(ready[2] ?? '').running += 1;
      return;
    }
    const finish = /^finish :: job: "([^"]+)"/.exec(text);
    if (finish) {
      const task = this.#tasks.get(this.#jobs.get(finish[1] ?? '') ?? '');
      task.running -= 1;
      task.succeeded += 1;
      return;
    }
    const job = /\.t:([^.]+)/.exec(source)?.[1] ?? '';
    if (source.endsWith('.stderr')) this.#stderr.set(job, [...(this.#stderr.get(job) ?? []), text].slice(-10));
    if (level === 'ERROR') this.#error(job, text);
  }

  picture(): LogPicture {
    const problem = this.#failures.length === 0 ? this.#problem.join('\n').trim() : '';
    return { tasks: this.#tasks.list(), failures: this.#failures, ...(problem && { problem: clip(problem) }) };
  }

  #error(job: string, text: string): void {
    const failed = /^task (\S+) .*failed ::/.exec(text);
    if (!failed) {
      if (this.#jobs.size === 0) this.#problem.push(text);
      return;
    }
    const name = this.#jobs.get(job) ?? failed[1] ?? '';
    const task = this.#tasks.get(name);
    task.running -= 1;
    task.failed += 1;
    const code = /exit_status: (\d+)/.exec(text);
    this.#failures.push({
      task: name,
      item: job,
      ...(code && { exitCode: Number(code[1]) }),
      message: clip([text, ...(this.#stderr.get(job) ?? [])].join('\n')),
    });
  }
}
