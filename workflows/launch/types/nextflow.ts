/**
 * `workflowType: nextflow`: Nextflow runs a pipeline on the cores of the head job; `-resume` finds finished tasks in work/
 * and in its cache. What each task came to is read from a trace file, since its log names only what is submitted.
 *
 * @module
 */
import type { Problem } from '../sheet/problems.ts';
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

const TRACE = 'longhaul-trace.txt';
/** Options the launch command has already. */
const TAKEN = ['-resume', '-params-file', '-with-trace', '-w', '-work-dir', '-ansi-log'];

export const nextflow: WorkflowTypePlugin = {
  name: 'nextflow',
  title: 'Nextflow',
  definition: 'yes',
  state: {
    keep: ['work/**', '.nextflow/**'],
    leave: ['.nextflow/plr/**'],
    // Written into a task's folder when its command has ended.
    markers: ['work/**/.exitcode'],
    // A database of tasks that have ended.
    growing: ['.nextflow/cache/**', '.nextflow/history'],
  },

  check({ head }) {
    const taken = (head.arguments ?? []).flatMap((word, nth): Problem[] =>
      TAKEN.includes(word)
        ? [{ kind: 'invalid', at: `head.arguments.${nth}`, message: `the launch command has ${word} already` }]
        : [],
    );
    return taken;
  },

  plan({ sheet, definition, vcpus, memoryMiB }) {
    const words = [
      'nextflow',
      ...['-log', '.nextflow.log'],
      'run',
      definition?.path ?? '',
      ...['-params-file', `${MADE}/params.json`],
      ...['-c', `${MADE}/longhaul.config`],
      ...['-work-dir', 'work'],
      ...['-ansi-log', 'false'],
      '-resume',
      ...(sheet.head.arguments ?? []),
    ];
    const run = words.map(quoteForShell).join(' ');
    return {
      // The trace is shown as it grows; its last lines come before the end.
      main: {
        kind: 'command',
        script: [
          `: > ${TRACE}`,
          `tail -n +1 -F ${TRACE} 2>/dev/null | sed 's/^/trace /' & tail=$!`,
          `code=0; ${run} || code=$?`,
          `kill "$tail" 2>/dev/null || true`,
          `sed 's/^/trace /' ${TRACE}`,
          'exit "$code"',
        ].join('\n'),
      },
      inputs: [],
      outputs: declaredOutputs(sheet),
      environment: {
        NXF_ANSI_LOG: 'false',
        NXF_DISABLE_CHECK_LATEST: 'true',
        NXF_EXECUTOR_CPUS: String(vcpus),
        NXF_EXECUTOR_MEMORY: `${memoryMiB} MB`,
      },
    };
  },

  artifacts({ sheet, vcpus, memoryMiB }, found) {
    const config = [
      `trace { enabled = true; file = '${TRACE}'; overwrite = true; fields = 'task_id,name,status,exit' }`,
      `executor { name = 'local'; cpus = ${vcpus}; memory = '${memoryMiB} MB' }`,
    ];
    return [
      { name: 'params.json', text: parameterFile(sheet, found, (path) => `${DATA}/${path}`) },
      { name: 'longhaul.config', text: `${config.join('\n')}\n` },
    ];
  },

  parser: () => new NextflowLog(),
};

/** What Nextflow 24 and 25 print without ANSI, and the trace lines beside it. */
class NextflowLog implements LogParser {
  readonly #tasks = new TaskTable();
  readonly #submitted = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #failures = new Map<string, TaskFailure>();
  /** The report of an error, until its end. */
  #report: { lines: string[]; name: string; code?: number; awaitsCode: boolean } | undefined;
  #problem: string[] = [];

  read(line: string): void {
    const traced = /^trace (\d+)\t(.+)\t(COMPLETED|CACHED|FAILED|ABORTED)\t(\S+)$/.exec(line);
    if (traced) return this.#trace(traced);
    if (line.startsWith('trace ')) return;
    const cached = /^\[[0-9a-f]{2}\/[0-9a-f]{6}\] Cached process > (.+)$/.exec(line);
    // Its end stands in the trace.
    if (cached) return void this.#task(cached[1] ?? '');
    const submitted = /^\[[0-9a-f]{2}\/[0-9a-f]{6}\] (?:Submitted|Re-submitted) process > (.+)$/.exec(line);
    if (submitted) {
      const name = submitted[1] ?? '';
      if (this.#submitted.has(name)) return;
      this.#submitted.add(name);
      this.#task(name).running += 1;
      return;
    }
    const error = /^ERROR ~ (?:Error executing process > '(.+)')?/.exec(line);
    if (error) {
      this.#closeReport();
      this.#report = { lines: [line], name: error[1] ?? '', awaitsCode: false };
      return;
    }
    this.#readReport(line);
  }

  picture(): LogPicture {
    this.#closeReport();
    const problem = this.#problem.join('\n').trim();
    return {
      tasks: this.#tasks.list(),
      failures: [...this.#failures.values()],
      ...(problem && { problem: clip(problem) }),
    };
  }

  #readReport(line: string): void {
    const report = this.#report;
    if (!report) return;
    if (report.lines.length < 60 && line.trim() !== '') report.lines.push(line);
    if (report.awaitsCode && /^\s+\d+$/.test(line)) report.code = Number(line);
    report.awaitsCode = line.startsWith('Command exit status:');
  }

  #closeReport(): void {
    const report = this.#report;
    this.#report = undefined;
    if (!report) return;
    const message = clip(report.lines.join('\n'));
    if (report.name === '') this.#problem.push(message);
    else {
      const known = this.#failures.get(report.name);
      const exitCode = report.code ?? known?.exitCode;
      this.#failures.set(report.name, { ...split(report.name), ...(exitCode !== undefined && { exitCode }), message });
    }
  }

  #trace([, id = '', name = '', status, exit = '']: RegExpExecArray): void {
    // The whole trace is shown once more at the end.
    if (this.#ended.has(`${id} ${status}`)) return;
    this.#ended.add(`${id} ${status}`);
    const task = this.#task(name);
    if (this.#submitted.delete(name)) task.running -= 1;
    if (status === 'COMPLETED' || status === 'CACHED') {
      task.succeeded += 1;
      // A retry has mended it.
      if (this.#failures.delete(name)) task.failed -= 1;
      return;
    }
    if (status === 'ABORTED') return;
    if (!this.#failures.has(name)) task.failed += 1;
    const exitCode = /^\d+$/.test(exit) ? Number(exit) : undefined;
    const message = this.#failures.get(name)?.message ?? `${name} ${status}`;
    this.#failures.set(name, { ...split(name), ...(exitCode !== undefined && { exitCode }), message });
  }

  #task(name: string) {
    return this.#tasks.get(split(name).task);
  }
}

/** `ALIGN (sample-1)`: process and tag. */
function split(name: string): { task: string; item: string } {
  const [, task = name, item = ''] = /^(\S+)(?: \((.*)\))?$/.exec(name) ?? [];
  return { task, item };
}
