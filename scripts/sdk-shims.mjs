// What the MCP SDK takes from its platform, for Node.js, without a JSON Schema validator: only what a
// client fills in for a server that asks (elicitation) is validated with it, and this server never asks.
import process from 'node:process';

class DefaultJsonSchemaValidator {
  getValidator() {
    throw new Error('No JSON Schema validator is in this bundle: see scripts/sdk-shims.mjs.');
  }
}

export { DefaultJsonSchemaValidator, process };
