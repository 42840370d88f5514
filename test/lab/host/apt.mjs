import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CannotRun } from './cannot-run.mjs';
import { debianMirror } from './mirror.mjs';
import { runProgram } from './run-program.mjs';

const suites = ['trixie', 'trixie-backports'];
const keyrings = ['debian-archive-keyring.gpg', 'debian-archive-keyring.pgp'].map((name) =>
  join('/usr/share/keyrings', name),
);

/**
 * apt with sources, lists and archives of its own under `folder`, for a machine on which nothing is
 * installed. The transport (proxy, certificates) stays as this machine configures it. No root.
 */
export function openApt(folder) {
  const lists = join(folder, 'state/lists/partial');
  const archives = join(folder, 'cache/archives');
  for (const each of [lists, join(archives, 'partial')]) mkdirSync(each, { recursive: true });
  const keyring = keyrings.find((path) => existsSync(path));
  const trusted = keyring ? `[signed-by=${keyring}] ` : '';
  const mirror = debianMirror();
  const lines = suites.map((suite) => `deb ${trusted}${mirror} ${suite} main\n`);
  writeFileSync(join(folder, 'sources.list'), lines.join(''));
  writeFileSync(join(folder, 'state/status'), '');
  writeFileSync(join(folder, 'apt.conf'), configuration(folder));
  const run = (program, ...args) => {
    try {
      return runProgram(program, ['-c', join(folder, 'apt.conf'), ...args], { cwd: archives });
    } catch (error) {
      throw new CannotRun(`the packages of the guest cannot be fetched: ${error.message}`, {
        cause: error,
      });
    }
  };

  run('apt-get', 'update', '-q');
  return {
    /** Names of packages that begin so. */
    names: (prefix) => run('apt-cache', 'pkgnames', prefix).split('\n').filter(Boolean),
    /** Fetches packages as `name` or `name/suite`, without what they depend on; paths of the files. */
    fetch(packages) {
      const names = packages.map((each) => each.split('/')[0]);
      run('apt-get', 'download', '-q', ...packages);
      return archivesOf(archives, (file) => names.includes(file.split('_')[0]));
    },
    /** Fetches packages and all that they need on an empty machine; paths of the files. */
    fetchWithDependencies(packages) {
      run('apt-get', 'install', '-qq', '-y', '--download-only', ...packages);
      return archivesOf(archives, () => true);
    },
  };
}

const archivesOf = (folder, isWanted) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.deb') && isWanted(file))
    .map((file) => join(folder, file));

const configuration = (folder) => `
Dir::Etc::sourcelist "${folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "${folder}/state";
Dir::State::status "${folder}/state/status";
Dir::Cache "${folder}/cache";
Dir::Cache::archives "archives";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
`;
