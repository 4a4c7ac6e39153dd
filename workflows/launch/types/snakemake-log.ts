/**
 * The log of Snakemake 9, as `--nocolor` prints it: which jobs run, are done, have failed.
 *
 * @module
 */
import { clip, type LogParser, type LogPicture, type TaskFailure, TaskTable } from './plugin.ts';

interface Job {
  rule: string;
  item: string;
}

/** Errors that come before any job and say that the workflow cannot be run as it is. */
const DEFINITION_ERROR =
  /^(SyntaxError|MissingInputException|AmbiguousRuleException|CyclicGraphException|ChildIOException|MissingRuleException|NameError|KeyError|TypeError|AttributeError|IncompleteFilesException|RuleException|InputFunctionException|WildcardError|CreateRuleException|WorkflowError)\b/;
/** Lines that are Snakemake's own; all others are what commands have written. */
const OWN =
  /^(\[\w{3} \w{3} .*\]|\d+ of \d+ steps|Select jobs|Execute \d+ jobs|Finished job|RuleException|CalledProcessError|Command '|Shell command:|Removing output|Trying to restart|Exiting because|Shutting down|Complete log|Elapsed time|WorkflowError|At least one|Building DAG|Using shell|Provided |Rules claiming|Assuming )/;
/** Lines of commands that are kept for the next error. */
const SAID_LINES = 10;
/** Lines kept of one error. */
const ERROR_LINES = 30;

export class SnakemakeLog implements LogParser {
  readonly #tasks = new TaskTable();
  readonly #jobs = new Map<string, Job>();
  readonly #open = new Set<string>();
  readonly #failed = new Map<string, TaskFailure>();
  #began = false;
  /** Rows of the table of "Job stats". */
  #inStats = false;
  /** The block of a rule, or of an error, that is being read. */
  #block: { kind: 'rule' | 'error'; rule: string; id: string; item: string; lines: string[] } | undefined;
  /** Of the last RuleException: the exit code stands there, before the job it belongs to. */
  #exitCode: number | undefined;
  #problem: string[] = [];
  #said: string[] = [];

  read(line: string): void {
    if (this.#readStats(line)) return;
    if (this.#block && /^ {4}\S|^ {8}/.test(line)) {
      this.#readBlock(line);
      return;
    }
    this.#closeBlock();
    const rule = /^(?:local)?(?:rule|checkpoint) (\S+):$/.exec(line);
    if (rule) this.#block = { kind: 'rule', rule: rule[1] ?? '', id: '', item: '', lines: [] };
    const error = /^Error in (?:rule|group) (\S+?),?(?: jobid: (\d+))?:?$/.exec(line);
    if (error) this.#block = { kind: 'error', rule: error[1] ?? '', id: error[2] ?? '', item: '', lines: [line] };
    const finished = /^Finished job(?:id: )?\s*(\d+)/.exec(line);
    if (finished) this.#finish(finished[1] ?? '');
    const again = /^Trying to restart job (\d+)\./.exec(line);
    if (again) this.#failed.delete(again[1] ?? '');
    const code = /returned non-zero exit status (\d+)\.?$|died with <Signals\.\w+: (\d+)>/.exec(line);
    if (code) this.#exitCode = code[1] === undefined ? 128 + Number(code[2]) : Number(code[1]);
    if (line.trim() !== '' && !OWN.test(line) && !rule && !error) this.#said = [...this.#said, line].slice(-SAID_LINES);
    if (!this.#began && (DEFINITION_ERROR.test(line) || this.#problem.length > 0)) this.#problem.push(line);
  }

  picture(): LogPicture {
    this.#closeBlock();
    const failures = [...this.#failed.values()];
    const problem = this.#problem.slice(0, ERROR_LINES).join('\n').trim();
    const failed = (name: string) => failures.filter(({ task }) => task === name).length;
    return {
      // The target rule only names what is wanted.
      tasks: this.#tasks
        .list()
        .filter(({ name }) => name !== 'all')
        .map((counts) => ({ ...counts, failed: failed(counts.name) })),
      failures,
      ...(problem && { problem: clip(problem) }),
    };
  }

  #readStats(line: string): boolean {
    if (line === 'Job stats:') {
      this.#inStats = true;
      return true;
    }
    if (!this.#inStats) return false;
    const row = /^(\S+)\s+(\d+)(?:\s|$)/.exec(line);
    if (row) {
      if (row[1] !== 'total') this.#tasks.get(row[1] ?? '').total = Number(row[2]);
      return true;
    }
    if (/^(job\s+count|-+\s)/.test(line)) return true;
    this.#inStats = false;
    return line === '';
  }

  #readBlock(line: string): void {
    const block = this.#block;
    if (!block) return;
    if (block.lines.length < ERROR_LINES) block.lines.push(line);
    const field = /^ {4}(jobid|wildcards): (.*)$/.exec(line);
    if (field?.[1] === 'jobid') block.id = field[2] ?? '';
    if (field?.[1] === 'wildcards') block.item = field[2] ?? '';
  }

  #closeBlock(): void {
    const block = this.#block;
    this.#block = undefined;
    if (!block) return;
    if (block.kind === 'rule') this.#start(block.id, { rule: block.rule, item: block.item });
    else this.#fail(block.id, block.rule, block.lines);
  }

  #start(id: string, job: Job): void {
    this.#began = true;
    this.#jobs.set(id, job);
    if (this.#open.has(id)) return;
    this.#open.add(id);
    this.#tasks.get(job.rule).running += 1;
    this.#failed.delete(id);
  }

  #finish(id: string): void {
    const job = this.#jobs.get(id);
    if (!job || !this.#open.delete(id)) return;
    const task = this.#tasks.get(job.rule);
    task.running -= 1;
    task.succeeded += 1;
  }

  #fail(id: string, rule: string, lines: string[]): void {
    const task = this.#tasks.get(rule);
    if (this.#open.delete(id)) task.running -= 1;
    const exitCode = this.#exitCode;
    this.#exitCode = undefined;
    const said = this.#said;
    this.#said = [];
    this.#failed.set(id, {
      task: rule,
      item: this.#jobs.get(id)?.item ?? '',
      ...(exitCode !== undefined && { exitCode }),
      // Its own words last: they say most.
      message: clip([...lines.map((line) => line.replace(/^ {4}/, '')), ...said].join('\n')),
    });
  }
}
