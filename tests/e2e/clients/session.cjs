// A charging session by `ocpp-rpc` in strict mode: it checks all payloads of both sides against its own schemas.
//
// Run by tests/e2e/test_third_party_node.py with one argument, JSON: {endpoint, identity, password, protocol, card}.
// Tells what happens as JSON lines on standard output. While the car charges it waits for a line on standard input, so
// that the test can look at the session, and answers what the platform asks of it meanwhile.
'use strict';

const readline = require('node:readline');
const { RPCClient } = require('ocpp-rpc');

const { endpoint, identity, password, protocol, card } = JSON.parse(process.argv[2]);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const now = () => new Date().toISOString();

// -- what a charger says, in both versions: [action, payload(answers so far)] ----------------------------------------

const energy16 = (wh) => [
  { timestamp: now(), sampledValue: [{ value: String(wh), measurand: 'Energy.Active.Import.Register', unit: 'Wh' }] },
];
const status16 = (status) => ['StatusNotification', () => ({ connectorId: 1, errorCode: 'NoError', status })];
const transactionId16 = (answers) => answers.StartTransaction.transactionId;

const energy201 = (wh, context) => [
  { timestamp: now(), sampledValue: [{ value: wh, measurand: 'Energy.Active.Import.Register', context }] },
];
const status201 = (connectorStatus) => [
  'StatusNotification',
  () => ({ timestamp: now(), connectorStatus, evseId: 1, connectorId: 1 }),
];
const transactionId201 = `rpc-${process.pid}`;
const idToken = { idToken: card, type: 'ISO14443' };
const event201 = (eventType, triggerReason, seqNo, transactionInfo, wh, context, more = {}) => [
  'TransactionEvent',
  () => ({
    eventType,
    triggerReason,
    seqNo,
    timestamp: now(),
    transactionInfo: { transactionId: transactionId201, ...transactionInfo },
    evse: { id: 1, connectorId: 1 },
    meterValue: energy201(wh, context),
    ...more,
  }),
];

const SCRIPTS = {
  'ocpp1.6': {
    before: [
      ['BootNotification', () => ({ chargePointVendor: 'RPC', chargePointModel: 'One' })],
      status16('Available'),
      ['Authorize', () => ({ idTag: card })],
      status16('Preparing'),
      ['StartTransaction', () => ({ connectorId: 1, idTag: card, meterStart: 1000, timestamp: now() })],
      status16('Charging'),
      ['MeterValues', (answers) => ({ connectorId: 1, transactionId: transactionId16(answers), meterValue: energy16(1120) })],
    ],
    after: [
      [
        'StopTransaction',
        (answers) => ({ transactionId: transactionId16(answers), meterStop: 1200, timestamp: now(), reason: 'Local' }),
      ],
      status16('Finishing'),
      status16('Available'),
      ['Heartbeat', () => ({})],
    ],
    asked: {
      GetConfiguration: ({ key = [] }) => ({
        configurationKey: key.map((name) => ({ key: name, readonly: false, value: '540' })),
      }),
      ChangeConfiguration: () => ({ status: 'Accepted' }),
      TriggerMessage: () => ({ status: 'NotImplemented' }),
    },
  },
  'ocpp2.0.1': {
    before: [
      ['BootNotification', () => ({ reason: 'PowerUp', chargingStation: { vendorName: 'RPC', model: 'Two' } })],
      status201('Available'),
      ['Authorize', () => ({ idToken })],
      status201('Occupied'),
      event201('Started', 'Authorized', 0, { chargingState: 'Charging' }, 1000, 'Transaction.Begin', { idToken }),
      event201('Updated', 'MeterValuePeriodic', 1, { chargingState: 'Charging' }, 1120, 'Sample.Periodic'),
    ],
    after: [
      event201('Ended', 'StopAuthorized', 2, { stoppedReason: 'Local' }, 1200, 'Transaction.End', { idToken }),
      status201('Available'),
      ['Heartbeat', () => ({})],
    ],
    asked: {
      GetVariables: ({ getVariableData }) => ({
        getVariableResult: getVariableData.map(({ component, variable }) => ({
          attributeStatus: 'Accepted',
          attributeValue: '540',
          component,
          variable,
        })),
      }),
      SetVariables: ({ setVariableData }) => ({
        setVariableResult: setVariableData.map(({ component, variable }) => ({
          attributeStatus: 'Accepted',
          component,
          variable,
        })),
      }),
      GetBaseReport: () => ({ status: 'NotSupported' }),
      TriggerMessage: () => ({ status: 'NotImplemented' }),
    },
  },
};

async function main() {
  const script = SCRIPTS[protocol];
  const client = new RPCClient({ endpoint, identity, password, protocols: [protocol], strictMode: true, reconnect: false });
  client.on('strictValidationFailure', ({ method, params, error }) => tell({ violation: { method, params, error: String(error) } }));
  for (const [action, answer] of Object.entries(script.asked)) {
    client.handle(action, ({ params }) => {
      tell({ asked: action, params });
      return answer(params);
    });
  }
  await client.connect();
  const answers = {};
  const play = async (steps) => {
    for (const [action, payload] of steps) {
      answers[action] = await client.call(action, payload(answers));
      tell({ action, answer: answers[action] });
    }
  };
  await play(script.before);
  tell({ charging: true });
  await new Promise((resolve) => readline.createInterface({ input: process.stdin }).once('line', resolve));
  await play(script.after);
  await client.close();
  tell({ done: true });
  process.exit(0);
}

main().catch((error) => {
  tell({ failed: `${error.name}: ${error.message}`, details: error.details });
  process.exit(1);
});
