/**
 * The Kubernetes cluster whose pods keep logs.
 *
 * @module
 */
import { connectKubernetes, type Kubernetes } from '../../lib/launch/kubernetes/client.ts';
import type { Settings } from '../../lib/settings.ts';

/** The cluster of the settings, connected to once it is needed. */
export function clusterOfSettings({
  eksCluster,
  eksContext,
}: Pick<Settings, 'eksCluster' | 'eksContext'>): (cluster: string) => Promise<Kubernetes> {
  let connection: Promise<Kubernetes> | undefined;
  return async (cluster) => {
    if (cluster !== eksCluster)
      throw new Error(`its cluster is ${cluster}, but the setting eksCluster is ${eksCluster || 'not set'}`);
    connection ??= connectKubernetes(eksContext);
    return connection;
  };
}
