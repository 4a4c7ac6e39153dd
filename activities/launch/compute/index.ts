/**
 * The compute services of a worker, by name: those its settings allow. docs/compute.md says which needs what.
 *
 * @module
 */
import { type BatchDependencies, createBatchCompute } from './batch.ts';
import type { ComputeService } from './service.ts';

export type ComputeDependencies = BatchDependencies;

export function createComputeServices(dependencies: ComputeDependencies): ReadonlyMap<string, ComputeService> {
  const services = [createBatchCompute(dependencies)];
  return new Map(services.map((service) => [service.name, service]));
}
