/**
 * A container of a pod in the terms of what runs it here: variables filled in, volumes, limits.
 *
 * @module
 */
import type { ContainerPlan } from '../aws/batch/container.ts';
import type { Container, EnvVar, Pod } from './model.ts';
import { parseQuantity } from './quantity.ts';

/** @param given variables the node gives every container; its own come over them */
export function planFor(
  pod: Pod,
  container: Container,
  options: { scratch: string; given: Readonly<Record<string, string>>; logStream: string },
): ContainerPlan {
  const environment = environmentOf(pod, container.env ?? []);
  const known = { ...options.given, ...environment };
  const fill = (words: readonly string[] = []) => words.map((word) => expand(word, known));
  const memory = parseQuantity(container.resources?.limits?.memory ?? '');
  return {
    properties: {
      name: container.name,
      image: container.image,
      command: fill(container.args),
      environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
      mountPoints: (container.volumeMounts ?? []).map(({ name, mountPath }) => ({
        sourceVolume: name,
        containerPath: mountPath,
      })),
      stopTimeout: pod.spec.terminationGracePeriodSeconds ?? 30,
    },
    ...(container.command && { entrypoint: fill(container.command) }),
    serviceEnvironment: {},
    hostEnvironment: options.given,
    memoryMiB: memory === undefined ? undefined : memory / 2 ** 20,
    logStream: options.logStream,
    volumes: (pod.spec.volumes ?? []).map(({ name, hostPath, persistentVolumeClaim: claim }) => ({
      name,
      ...(claim
        ? { efsVolumeConfiguration: { fileSystemId: claim.claimName } }
        : { host: hostPath ? { sourcePath: hostPath.path } : {} }),
    })),
    scratch: options.scratch,
  };
}

/** In their order: a value may name those before it. */
function environmentOf(pod: Pod, variables: readonly EnvVar[]): Record<string, string> {
  const filled: Record<string, string> = {};
  for (const { name, value, valueFrom } of variables)
    filled[name] = valueFrom ? fieldOf(pod, valueFrom.fieldRef.fieldPath) : expand(value ?? '', filled);
  return filled;
}

/** `$(NAME)` is filled in where it is known, `$$` is one `$`; all else stays. */
export function expand(text: string, known: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (found, name?: string) =>
    name === undefined ? '$' : (known[name] ?? found),
  );
}

function fieldOf(pod: Pod, path: string): string {
  const [, kind, key = ''] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path) ?? [];
  if (kind === 'labels') return pod.metadata.labels?.[key] ?? '';
  if (kind === 'annotations') return pod.metadata.annotations?.[key] ?? '';
  const known: Readonly<Record<string, string>> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'spec.nodeName': pod.spec.nodeName ?? '',
  };
  return known[path] ?? '';
}
