/**
 * Addresses of pages, both ways. Pure.
 *
 * @module
 */

export type Route =
  | { page: 'runs' }
  | { page: 'run'; workflowId: string }
  | { page: 'costs' }
  | { page: 'new' }
  | { page: 'stories' }
  | { page: 'help' }
  | { page: 'unknown' };

export type Page = Route['page'];

/** What telemetry calls a page: never an address with ids. */
export const PATTERNS: Readonly<Record<Page, string>> = {
  runs: '/',
  run: '/run/:workflowId',
  costs: '/costs',
  new: '/new',
  stories: '/stories',
  help: '/help',
  unknown: '/*',
};

const RUN = '/run/';

export function parseRoute(path: string): Route {
  if (path.startsWith(RUN) && path.length > RUN.length) {
    const workflowId = decode(path.slice(RUN.length).replace(/\/$/, ''));
    return workflowId === undefined ? { page: 'unknown' } : { page: 'run', workflowId };
  }
  switch (path.replace(/(?<=.)\/$/, '')) {
    case '/':
      return { page: 'runs' };
    case '/costs':
      return { page: 'costs' };
    case '/new':
      return { page: 'new' };
    case '/stories':
      return { page: 'stories' };
    case '/help':
      return { page: 'help' };
    default:
      return { page: 'unknown' };
  }
}

/** Slashes of a workflow id stay readable. */
export const runPath = (workflowId: string): string => RUN + workflowId.split('/').map(encodeURIComponent).join('/');

/** @returns undefined where it is no text that was encoded */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** `launch/abc` is of the domain `launch`, and `abc` there. */
export function domainOf(workflowId: string): { domain: string; id: string } {
  const slash = workflowId.indexOf('/');
  return slash <= 0
    ? { domain: '', id: workflowId }
    : { domain: workflowId.slice(0, slash), id: workflowId.slice(slash + 1) };
}

/**
 * A query with some parameters changed; those that are absent or empty are left out, the others keep their order.
 * @returns with `?`, or empty
 */
export function changedQuery(query: string, changes: Readonly<Record<string, string | undefined>>): string {
  const parameters = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') parameters.delete(name);
    else parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
