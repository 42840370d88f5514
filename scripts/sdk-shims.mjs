// What the MCP SDK takes from its platform, for Node.js, with the smaller of its two JSON Schema
// validators: the other one is a fifth of the bundle, and only elicitation, unused here, validates.
export { default as process } from 'node:process';
// biome-ignore lint/performance/noBarrelFile: it stands in for a module that is one
export { CfWorkerJsonSchemaValidator as DefaultJsonSchemaValidator } from '@modelcontextprotocol/server/validators/cf-worker';
