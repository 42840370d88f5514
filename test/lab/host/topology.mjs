/** What `--topology sockets=2,cores=2,threads=1,numa=2` may hold. */
export const topologyHelp = 'sockets, cores (of a socket), threads (of a core), numa (nodes)';

const limits = { sockets: 8, cores: 16, threads: 2, numa: 8 };

/** Reads the option; what it leaves out is 1. Throws with what is wrong. */
export function parseTopology(text) {
  const topology = { sockets: 1, cores: 1, threads: 1, numa: 1 };
  for (const part of text.split(',')) {
    const [, key, digits] = /^([a-z]+)=(\d{1,2})$/.exec(part) ?? [];
    const count = Number(digits);
    if (!(key in limits) || count < 1 || count > limits[key]) {
      throw new Error(`--topology: "${part}" is not one of ${topologyHelp} with a number`);
    }
    topology[key] = count;
  }
  if (cpusOf(topology) % topology.numa !== 0) {
    throw new Error(`--topology: ${cpusOf(topology)} CPUs do not part evenly into numa nodes`);
  }
  return topology;
}

const cpusOf = ({ sockets, cores, threads }) => sockets * cores * threads;

/** The arguments of QEMU: every node gets an equal share of memory and of consecutive CPUs. */
export function topologyArguments(topology, memory_mib) {
  const { sockets, cores, threads, numa } = topology;
  const cpus = cpusOf(topology);
  const smp = ['-smp', `${cpus},sockets=${sockets},cores=${cores},threads=${threads}`];
  if (numa === 1) return smp;
  const share = cpus / numa;
  const nodes = Array.from({ length: numa }, (_, id) => [
    '-object',
    `memory-backend-ram,id=memory${id},size=${Math.floor(memory_mib / numa)}M`,
    '-numa',
    `node,nodeid=${id},memdev=memory${id},cpus=${id * share}-${(id + 1) * share - 1}`,
  ]);
  return [...smp, ...nodes.flat()];
}
