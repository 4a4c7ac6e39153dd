/**
 * Reading all that a query finds, page after page.
 *
 * @module
 */
import { type DynamoDBDocumentClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';

/** @param read is told of each page: how many items DynamoDB has read for it, those a filter left out too */
export async function queryAll<Item>(
  documents: DynamoDBDocumentClient,
  query: QueryCommandInput,
  read: (items: number) => void = () => {},
): Promise<Item[]> {
  const items: Item[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const {
      Items = [],
      ScannedCount = 0,
      LastEvaluatedKey,
    } = await documents.send(new QueryCommand({ ...query, ...(start && { ExclusiveStartKey: start }) }));
    read(ScannedCount);
    items.push(...(Items as Item[]));
    start = LastEvaluatedKey;
  } while (start);
  return items;
}
