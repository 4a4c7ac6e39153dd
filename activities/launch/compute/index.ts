/**
 * The compute services of a worker, by name: those its settings allow. docs/compute.md says which needs what.
 *
 * @module
 */
import { type BatchDependencies, createBatchCompute } from './batch.ts';
import { createEksCompute, type EksSettings } from './eks.ts';
import type { ComputeService } from './service.ts';

export interface ComputeDependencies extends BatchDependencies {
  settings: BatchDependencies['settings'] & EksSettings;
}

export function createComputeServices(dependencies: ComputeDependencies): ReadonlyMap<string, ComputeService> {
  const { settings } = dependencies;
  const services = [
    createBatchCompute(dependencies),
    ...(settings.eksCluster === '' ? [] : [createEksCompute({ settings })]),
  ];
  return new Map(services.map((service) => [service.name, service]));
}
