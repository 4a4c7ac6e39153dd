/**
 * Keys, and what this is.
 *
 * @module
 */
import { session } from '../session.ts';

const KEYS: readonly { where: string; keys: readonly (readonly [string, string])[] }[] = [
  {
    where: 'Everywhere',
    keys: [
      ['?', 'this page'],
      ['g', 'all runs'],
      ['n', 'new launch'],
      ['c', 'costs'],
      ['s', 'stories'],
    ],
  },
  {
    where: 'Runs',
    keys: [
      ['j, k', 'down, up'],
      ['Enter', 'open the run'],
      ['/', 'search'],
    ],
  },
  {
    where: 'A run',
    keys: [
      ['[, ]', 'the section before, after'],
      ['1 to 9', 'a section'],
      ['/', 'search its log'],
      ['f', 'follow its log, or stop'],
      ['l', 'back to live'],
    ],
  },
];

export function Help() {
  const known = session.value;
  return (
    <>
      <h1 tabIndex={-1}>Help</h1>
      <h2>Keys</h2>
      <div class="key-tables">
        {KEYS.map(({ where, keys }) => (
          <table key={where} class="plain">
            <caption>{where}</caption>
            <tbody>
              {keys.map(([key, does]) => (
                <tr key={key}>
                  <th scope="row">
                    <kbd>{key}</kbd>
                  </th>
                  <td>{does}</td>
                </tr>
              ))}
            </tbody>
          </table>
        ))}
      </div>
      <h2>About</h2>
      {known.state === 'known' && (
        <dl class="facts">
          <dt>Longhaul</dt>
          <dd>{known.info.version}</dd>
          <dt>You may</dt>
          <dd>
            {known.info.role}, of {known.info.consumers === '*' ? 'every consumer' : known.info.consumers.join(', ')}
          </dd>
          <dt>Temporal Web UI</dt>
          <dd>
            <a href={known.info.temporalUi}>{known.info.temporalUi}</a>
          </dd>
          <dt>API</dt>
          <dd>
            <a href="/api/v1/openapi.json">OpenAPI document</a>
          </dd>
        </dl>
      )}
      <p>
        Everything here is in the address: filters, section, step, and the moment that is looked at. Copy it to show
        somebody the same.
      </p>
    </>
  );
}
