/**
 * `workflowType: cwl`: cwltool runs a CWL document. Without a container runtime in the head's image tools run in that image
 * itself; `head.arguments` may choose another way, such as --singularity. Finished jobs are found again by --cachedir.
 *
 * @module
 */
import { quoteForShell } from '../sheet/template.ts';
import {
  clip,
  declaredOutputs,
  type LogParser,
  type LogPicture,
  MADE,
  parameterFile,
  type TaskFailure,
  TaskTable,
  type WorkflowTypePlugin,
} from './plugin.ts';

const CACHE = 'cwl-cache';
/** Options by which cwltool runs its tools otherwise. */
const RUNTIMES = ['--singularity', '--podman', '--udocker', '--user-space-docker-cmd', '--default-container'];

export const cwl: WorkflowTypePlugin = {
  name: 'cwl',
  title: 'cwltool',
  definition: 'yes',
  // The status beside a job's folder is written when the folder is whole.
  state: { keep: [`${CACHE}/**`], leave: [], markers: [`${CACHE}/*.status`] },

  plan({ sheet, definition, vcpus }) {
    const { arguments: more = [] } = sheet.head;
    const words = [
      'cwltool',
      '--disable-color',
      ...['--outdir', 'results'],
      ...['--cachedir', CACHE],
      ...(vcpus > 1 ? ['--parallel'] : []),
      ...(more.some((word) => RUNTIMES.some((runtime) => word.startsWith(runtime))) ? [] : ['--no-container']),
      ...(sheet.onFailure === 'finish' ? ['--on-error', 'continue'] : []),
      ...more,
      definition?.path ?? '',
      `${MADE}/inputs.json`,
    ];
    return {
      main: { kind: 'command', script: `exec ${words.map(quoteForShell).join(' ')}` },
      inputs: [],
      outputs: declaredOutputs(sheet),
    };
  },

  artifacts: ({ sheet }, found) => [
    // Paths of a job order are relative to its own place.
    { name: 'inputs.json', text: parameterFile(sheet, found, (path) => ({ class: 'File', path: `../data/${path}` })) },
  ],

  parser: () => new CwltoolLog(),
};

/** What cwltool 3 says on standard error. A step's total is not known before it has been scattered. */
class CwltoolLog implements LogParser {
  readonly #tasks = new TaskTable();
  readonly #open = new Set<string>();
  readonly #failures: TaskFailure[] = [];
  readonly #codes = new Map<string, number>();
  /** Lines that are not cwltool's own: what tools have written. */
  #said: string[] = [];
  #problem: string[] = [];
  #began = false;

  read(line: string): void {
    const entry = /^(INFO|WARNING|ERROR) (?:\[job (\S+)\] )?(.*)$/.exec(line);
    if (!entry) {
      if (this.#problem.length > 0) this.#problem.push(line);
      else this.#said = [...this.#said, line].slice(-10);
      return;
    }
    const [, level, job, text = ''] = entry;
    if (text.startsWith('[workflow ')) this.#began = true;
    if (job === undefined) {
      if (level === 'ERROR' && !this.#began) this.#problem.push(text);
      return;
    }
    this.#ofJob(job, text);
    if (!text.startsWith('exited with status')) this.#said = [];
  }

  picture(): LogPicture {
    const problem = this.#problem.join('\n').trim();
    return { tasks: this.#tasks.list(), failures: this.#failures, ...(problem && { problem: clip(problem) }) };
  }

  #ofJob(job: string, text: string): void {
    // Jobs of a scattered step are numbered from the second on.
    const task = this.#tasks.get(job.replace(/_\d+$/, ''));
    if (/^[Uu]sing cached output/.test(text)) task.succeeded += 1;
    else if (/\$ /.test(text) && !this.#open.has(job)) {
      this.#open.add(job);
      task.running += 1;
    }
    const code = /^exited with status: (\d+)/.exec(text);
    if (code) this.#codes.set(job, Number(code[1]));
    const end = /^completed (success|permanentFail|temporaryFail)/.exec(text);
    if (!end) return;
    if (this.#open.delete(job)) task.running -= 1;
    if (end[1] === 'success') {
      task.succeeded += 1;
      return;
    }
    task.failed += 1;
    const exitCode = this.#codes.get(job);
    this.#failures.push({
      task: task.name,
      item: job === task.name ? '' : job,
      ...(exitCode !== undefined && { exitCode }),
      message: clip([`${job} ${end[1]}`, ...this.#said].join('\n')),
    });
  }
}
