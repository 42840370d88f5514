export const help = `tracewright: true numbers from the Linux kernel, for people and for AI assistants.

  tracewright                        what this machine is and does, and how to connect a client
  tracewright doctor                 what works here, what does not, and the command that fixes it
  tracewright mcp [--daemon]         serve MCP on stdin and stdout

  tracewright tools                  list the tools        (resources, prompts: likewise)
  tracewright call TOOL key=value    call a tool           e.g. call get_topology detail_level=full
  tracewright read URI               read a resource       e.g. read 'stats://aggregated/process?limit=5'
  tracewright prompt NAME key=value  print a workflow      e.g. prompt debug_high_latency pid=1234
  tracewright profile [cpu|offcpu|FILE] --out F   flame graph (.svg .html .png), .folded, speedscope .json, .pb.gz, .pftrace
  tracewright watch                  scheduler events live, one line each, until Ctrl-C
  tracewright record                 what the scheduler does, as a trace for ui.perfetto.dev
  tracewright report                 one HTML page: findings, topology, CPU use, latency, processes
  tracewright captures               what is kept           (captures delete ID: removes one)

Options
  --json                 JSON instead of text
  --types a,b            events to watch; a wrong one is answered with all there are
  --pid N                watch one process; record only its wakeups and stacks
  --min-latency US       only switches to tasks that waited so many microseconds for a CPU
  --duration S           end after so many seconds (watch; default and at most 3600)
  --seconds N            how long to record or to watch (record, report; default 5)
  --sample-hz N          call stacks in the trace, so many per second and CPU (record; default none)
  --out FILE             where to put it: report (default tracewright-report.html), a copy of what record keeps,
                         profile (the name says the format)
  --open                 show the flame graph in a browser (profile)
  --daemon, -d           keep baselines between reads (mcp)
  --once                 exit after the first request (mcp)
  --read-only            offer nothing that attaches, records or writes
  --toolsets a,b         offer only these toolsets
  --tools a,b            offer only these tools
  --exclude-tools a,b    offer all but these tools
  --python-root DIR      folder whose Python programs may be run (repeat; default: the working folder)
  --python-as-root       run them as root where the server is root; else as their owner, or nobody
  --import-root DIR      folder from which profiles may be imported (repeat; default: the working folder)
  --state-dir DIR        where captures are kept; default ~/.local/state/tracewright
  --stats-socket-path P  where the scheduler serves its scx_stats
  --mcp, --mcp-daemon    the same as "mcp" and "mcp --daemon"
  --help, --version

Exit codes: 0 done, 1 failed, 2 wrong usage. Errors go to stderr with the fix on the last line.`;
