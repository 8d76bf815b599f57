// What the vendor's library says of pairs of templates: each line in is { STACK: { before, after } }, each line out the
// answer. It asks no network. The values stay behind: whoever asks has the templates, and needs to know only what
// happens to what.
import { createInterface } from 'node:readline';
import diff from '@aws-cdk/cloudformation-diff';

const impacts = ([id, change]) => ({
  id,
  impact: change.changeImpact,
  properties: Object.fromEntries(
    Object.entries(change.propertyUpdates).map(([name, update]) => [name, update.changeImpact]),
  ),
  attributes: Object.keys(change.otherChanges).filter((name) => name !== 'Type'),
});

const targets = ({ not, values }) => values.map((value) => (not ? `anything but ${value}` : value));

// A statement that hides in an intrinsic (Fn::If) has no parts, only a text.
const statement = (added) => (found) => {
  const text = found.effect === 'Unknown' ? found.render().resource : '';
  return {
    added,
    effect: found.effect,
    actions: targets(found.actions),
    resources: text ? [text] : targets(found.resources),
    principals: targets(found.principals),
    condition: found.condition ? JSON.stringify(found.condition) : '',
    negative: found.isNegativeStatement,
  };
};

const attachment = (added) => (found) => ({ added, identity: found.identityArn, policy: found.managedPolicyArn });

const rule = (added, direction) => (found) => ({
  added,
  direction,
  group: found.groupId,
  protocol: found.describeProtocol(),
  peer: found.describePeer(),
});

const both = ({ additions, removals }, describe) => [
  ...additions.map(describe(true)),
  ...removals.map(describe(false)),
];

const compare = ({ before, after }) => {
  const { resources, iamChanges, securityGroupChanges } = diff.fullDiff(before, after);
  return {
    resources: Object.entries(resources.changes).map(impacts),
    statements: both(iamChanges.statements, statement),
    attachments: both(iamChanges.managedPolicies, attachment),
    rules: [
      ...both(securityGroupChanges.ingress, (added) => rule(added, 'in')),
      ...both(securityGroupChanges.egress, (added) => rule(added, 'out')),
    ],
  };
};

for await (const line of createInterface({ input: process.stdin })) {
  const found = Object.entries(JSON.parse(line)).map(([stack, pair]) => [stack, compare(pair)]);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(found))}\n`);
}
