"""The reviewer's comment: compares two cloud assemblies for changes to data, access and cost.

- `cli`, `outcome`: the command line and its exit codes
- `vendor`, `compare.mjs`: what the CDK authors' library says of two templates
- `quiet`, `references`: templates without noise, and with references followed across stacks
- `holdings`, `changes`: what holds data, and what happens to each resource
- `guards`, `watching`, `access`: protections that weaken, alarms that go, who may do what
- `approved_replacements`, `review`: what was agreed to, and the judgement on one environment
- `words`, `markdown`, `comment`: sentences, text nobody can break out of, the comment
"""
