// What the MCP SDK takes from its platform, for Node.js, with the smaller of its two JSON Schema
// validators: the other one is a fifth of the bundle, and only elicitation, unused here, validates.
import process from 'node:process';
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/server/validators/cf-worker';

const DefaultJsonSchemaValidator = CfWorkerJsonSchemaValidator;

export { DefaultJsonSchemaValidator, process };
