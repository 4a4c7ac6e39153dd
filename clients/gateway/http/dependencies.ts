/**
 * What the HTTP API works with. The gateway opens it once, for all requests.
 *
 * @module
 */
import type { Client } from '@temporalio/client';
import type { AwsClients } from '../../../lib/aws-clients.ts';
import type { ProgressReader } from '../../../lib/progress/log.ts';
import type { Settings } from '../../../lib/settings.ts';
import { FamilyStore } from '../../../lib/store/families.ts';
import { LaunchStore } from '../../../lib/store/launches.ts';
import { LedgerStore } from '../../../lib/store/ledger.ts';
import { RestoreStore } from '../../../lib/store/restores.ts';
import { StepStore } from '../../../lib/store/steps.ts';
import { StoryStore } from '../../../lib/store/stories.ts';
import { tableNames } from '../../../lib/store/tables.ts';
import type { SessionInfo } from '../../live/api.ts';

export interface ApiDependencies {
  settings: Settings;
  aws: AwsClients;
  client: Client;
  launches: LaunchStore;
  steps: StepStore;
  restores: RestoreStore;
  ledger: LedgerStore;
  stories: StoryStore;
  families: FamilyStore;
  progress: ProgressReader;
  auth: SessionInfo['auth'];
  /** Of Longhaul. */
  version: string;
}

type Opened = Pick<ApiDependencies, 'settings' | 'aws' | 'client' | 'progress' | 'auth' | 'version'>;

/** Adds the stores of the tables that the settings name. */
export function apiDependencies(opened: Opened): ApiDependencies {
  const tables = tableNames(opened.settings.tablePrefix);
  const { dynamodb } = opened.aws;
  return {
    ...opened,
    launches: new LaunchStore(dynamodb, tables),
    steps: new StepStore(dynamodb, tables),
    restores: new RestoreStore(dynamodb, tables),
    ledger: new LedgerStore(dynamodb, tables),
    stories: new StoryStore(dynamodb, tables),
    families: new FamilyStore(dynamodb, tables),
  };
}
