/**
 * What the API server asks of a pod's specification.
 *
 * @module
 */
import type { Container, PodSpec } from './model.ts';
import { parseQuantity } from './quantity.ts';
import { type Cause, required, unsupported, wrong } from './status.ts';

const LABEL_WORDS =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const FIELD_PATH =
  /^(metadata\.(name|namespace|uid)|metadata\.(labels|annotations)\['[^']+'\]|spec\.(nodeName|serviceAccountName)|status\.(hostIP|hostIPs|podIP|podIPs))$/;

export const isDnsLabel = (text: string): boolean => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text);
export const isDnsSubdomain = (text: string): boolean =>
  text.length <= 253 && text.split('.').every((part) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(part));

export function checkLabels(labels: Readonly<Record<string, string>> | undefined, at: string): Cause[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...(LABEL_KEY.test(key) ? [] : [wrong(at, key, 'name part must consist of alphanumeric characters')]),
    ...(value.length > 63 ? [wrong(at, value, 'must be no more than 63 bytes')] : []),
    ...(LABEL_VALUE.test(value)
      ? []
      : [
          wrong(
            at,
            value,
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'",
          ),
        ]),
  ]);
}

export function checkPod(spec: PodSpec, at: string): Cause[] {
  const containers = spec.containers ?? [];
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  const names = new Set<string>();
  const places = [
    ...containers.map((container, index) => ({ container, path: `${at}.containers[${index}]` })),
    ...(spec.initContainers ?? []).map((container, index) => ({ container, path: `${at}.initContainers[${index}]` })),
  ];
  const deadline = spec.activeDeadlineSeconds;
  return [
    ...(containers.length === 0 ? [required(`${at}.containers`)] : []),
    ...(deadline !== undefined && !(deadline >= 1 && deadline <= 2_147_483_647)
      ? [wrong(`${at}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive')]
      : []),
    ...(spec.volumes ?? []).flatMap((volume, index) => {
      const path = `${at}.volumes[${index}]`;
      const kinds = Object.keys(volume).filter((key) => key !== 'name');
      return [
        ...(isDnsLabel(volume.name) ? [] : [wrong(`${path}.name`, volume.name, LABEL_WORDS)]),
        ...(kinds.length === 1 ? [] : [required(path, 'must specify a volume type')]),
        ...(volume.hostPath && !volume.hostPath.path ? [required(`${path}.hostPath.path`)] : []),
        ...(volume.persistentVolumeClaim && !volume.persistentVolumeClaim.claimName
          ? [required(`${path}.persistentVolumeClaim.claimName`)]
          : []),
      ];
    }),
    ...places.flatMap(({ container, path }) => {
      const doubled = names.has(container.name);
      names.add(container.name);
      const duplicate = {
        reason: 'FieldValueDuplicate',
        field: `${path}.name`,
        message: `Duplicate value: "${container.name}"`,
      };
      return [...(doubled ? [duplicate] : []), ...checkContainer(container, path, volumes)];
    }),
  ];
}

function checkContainer(container: Container, at: string, volumes: ReadonlySet<string>): Cause[] {
  const { requests = {}, limits = {} } = container.resources ?? {};
  return [
    ...(container.name ? [] : [required(`${at}.name`)]),
    ...(container.name && !isDnsLabel(container.name) ? [wrong(`${at}.name`, container.name, LABEL_WORDS)] : []),
    ...(container.image ? [] : [required(`${at}.image`)]),
    ...(container.restartPolicy !== undefined && !at.includes('initContainers')
      ? [
          {
            reason: 'FieldValueForbidden',
            field: `${at}.restartPolicy`,
            message: 'Forbidden: may not be set for non-init containers',
          },
        ]
      : []),
    ...(container.restartPolicy !== undefined && container.restartPolicy !== 'Always'
      ? [unsupported(`${at}.restartPolicy`, container.restartPolicy, ['Always'])]
      : []),
    ...(container.volumeMounts ?? []).flatMap(({ name, mountPath }, index) => [
      ...(volumes.has(name)
        ? []
        : [
            {
              reason: 'FieldValueNotFound',
              field: `${at}.volumeMounts[${index}].name`,
              message: `Not found: "${name}"`,
            },
          ]),
      ...(mountPath ? [] : [required(`${at}.volumeMounts[${index}].mountPath`)]),
    ]),
    ...(container.env ?? []).flatMap(({ name, valueFrom }, index) => {
      const path = valueFrom?.fieldRef?.fieldPath;
      return [
        ...(name && !/[=\0]/.test(name)
          ? []
          : [
              wrong(
                `${at}.env[${index}].name`,
                name,
                'a valid environment variable name must consist only of printable ASCII characters other than =',
              ),
            ]),
        ...(path !== undefined && !FIELD_PATH.test(path)
          ? [
              wrong(
                `${at}.env[${index}].valueFrom.fieldRef.fieldPath`,
                path,
                'error converting fieldPath: field label not supported',
              ),
            ]
          : []),
      ];
    }),
    ...Object.entries({ ...requests, ...limits }).flatMap(([name, amount]) => {
      const [wanted, limit] = [requests[name], limits[name]].map((text) =>
        text === undefined ? undefined : parseQuantity(text),
      );
      if (parseQuantity(amount) === undefined)
        return [wrong(`${at}.resources.limits[${name}]`, amount, 'quantities must match the regular expression')];
      return wanted !== undefined && limit !== undefined && wanted > limit
        ? [
            wrong(
              `${at}.resources.requests`,
              requests[name],
              `must be less than or equal to ${name} limit of ${limits[name]}`,
            ),
          ]
        : [];
    }),
  ];
}
