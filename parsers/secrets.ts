/** What stands in place of a credential. */
const hidden = '***';

/**
 * The arguments of a command line, with those hidden that look like credentials. Which program runs
 * and with which options stays to be seen. An argument that holds blanks (`sh -c "…"`, a title that a
 * process wrote over its arguments) is looked at word by word.
 *
 * By name: options and assignments called password, secret, token, API key and their like, and
 * headers such as Authorization. By place: `-p…` of mysql, `-u name:…` of curl. By form: passwords in
 * URLs, keys of AWS, GitHub, OpenAI, Slack and others, JSON web tokens, private keys.
 */
export function maskSecrets(args: readonly string[]): readonly string[] {
  if (!args.some((arg) => hint.test(arg)) && !args.some(isKnownProgram)) return args;
  const state: State = { flags: null, isFirst: true, next: null, quote: null };
  return args.map((arg) => {
    if (privateKey.test(arg)) return hidden;
    if (!/\s/.test(arg) || header.test(arg)) return maskWord(arg, state);
    return arg
      .split(/(\s+)/)
      .map((word) => (/^\s*$/.test(word) ? word : maskWord(word, state)))
      .join('');
  });
}

/** Most command lines have none of these, and are asked nothing else. */
const hint =
  /pass|pwd?|secret|token|key|auth|cred|bearer|cookie|psk|:\/\/[^/\s]*@|AKIA|ASIA|eyJ|gh[pousr]_|github_pat|glpat|sk-|[sr]k_|xox|AIza|hf_|npm_|SG\.|dckr_pat|pypi-|hvs\./i;

type Flags = Readonly<{
  /** The rest of the word, or the word behind it, is a secret. */
  attached?: readonly string[];
  separate?: readonly string[];
  /** `name:secret`, `name%secret`. */
  pairs?: readonly string[];
}>;

const mysql: Flags = { attached: ['-p'] };
const mongo: Flags = { separate: ['-p'], attached: ['-p'] };
/** What they run is another program, whose options are its own. */
const none: Flags = {};
const archive: Flags = { attached: ['-p', '-P'], separate: ['-P'] };
const ldap: Flags = { attached: ['-w'], separate: ['-w'] };

/** Options of one letter mean something else in each program. */
const programs: Readonly<Record<string, Flags>> = {
  mysql,
  mysqldump: mysql,
  mysqladmin: mysql,
  mysqlimport: mysql,
  mysqlshow: mysql,
  mysqlcheck: mysql,
  mysqlbinlog: mysql,
  mysqlslap: mysql,
  mariadb: mysql,
  'mariadb-dump': mysql,
  'mariadb-admin': mysql,
  mongo,
  mongosh: mongo,
  mongodump: mongo,
  mongorestore: mongo,
  sshpass: { attached: ['-p'], separate: ['-p'] },
  ssh: none,
  scp: none,
  rsync: none,
  'redis-cli': { attached: ['-a'], separate: ['-a'] },
  ldapsearch: ldap,
  ldapmodify: ldap,
  ldapadd: ldap,
  ldapdelete: ldap,
  sqlcmd: { attached: ['-P'], separate: ['-P'] },
  '7z': archive,
  zip: { attached: ['-P'], separate: ['-P'] },
  unzip: { attached: ['-P'], separate: ['-P'] },
  curl: {
    pairs: ['-u', '--user', '-U', '--proxy-user'],
    separate: ['-b', '--cookie'],
    attached: ['-b'],
  },
  // docker login, az login, oc login and their like.
  login: { separate: ['-p'] },
  twine: { separate: ['-p'] },
  openssl: { separate: ['-k', '-K'] },
  mosquitto_pub: { separate: ['-P'] },
  mosquitto_sub: { separate: ['-P'] },
  smbclient: { pairs: ['-U', '--user'] },
};

const baseName = (word: string): string => word.slice(word.lastIndexOf('/') + 1);
const isKnownProgram = (arg: string): boolean =>
  Object.hasOwn(programs, baseName(arg)) || (/\s/.test(arg) && arg.split(/\s+/).some(isOne));
const isOne = (word: string): boolean => Object.hasOwn(programs, baseName(word));

type State = {
  flags: Flags | null;
  isFirst: boolean;
  /** What the next word is. `token`: behind "Authorization:", where a scheme may come first. */
  next: 'secret' | 'pair' | 'token' | null;
  /** A secret in quotes that is not over yet. */
  quote: string | null;
};

function maskWord(word: string, state: State): string {
  const wasFirst = state.isFirst;
  state.isFirst = false;
  if (state.quote !== null) {
    if (word.endsWith(state.quote)) state.quote = null;
    return hidden;
  }
  const expected = state.next;
  state.next = null;
  if (expected === 'token') return behindHeader(word, state);
  if (expected !== null && (!word.startsWith('-') || word === '-')) {
    return expected === 'pair' ? maskPair(word) : whole(word, state);
  }
  if (header.test(word)) return maskHeader(word, state);
  if (isOne(word)) {
    state.flags = programs[baseName(word)] ?? null;
    return word;
  }
  return maskFlag(word, state, wasFirst) ?? maskOption(word, state) ?? maskForms(maskNested(word));
}

function whole(word: string, state: State): string {
  const [quote] = /^['"]/.exec(word) ?? [];
  if (quote !== undefined && (word.length === 1 || !word.endsWith(quote))) state.quote = quote;
  return hidden;
}

const maskPair = (word: string): string =>
  word.replace(/^([^:%]*[:%]).*$/s, (_, name: string) => name + hidden);

const schemes = /^['"]?(?:bearer|basic|token|digest|negotiate|apikey)$/i;

/** "Authorization:" and "Bearer" stay, what comes behind them does not. */
function behindHeader(word: string, state: State): string {
  if (!schemes.test(word)) return hidden;
  state.next = 'token';
  return word;
}

/** An option of one letter, as the program means it that was named last. */
function maskFlag(word: string, state: State, isFirst: boolean): string | null {
  const { flags } = state;
  if (flags === null || isFirst || !word.startsWith('-')) return null;
  if (flags.separate?.includes(word)) {
    state.next = 'secret';
    return word;
  }
  if (flags.pairs?.includes(word)) {
    state.next = 'pair';
    return word;
  }
  const pair = flags.pairs?.find((flag) => attaches(word, flag));
  if (pair !== undefined) return pair + maskPair(word.slice(pair.length));
  const flag = flags.attached?.find((each) => attaches(word, each));
  return flag === undefined ? null : flag + hidden;
}

/** "-psecret", "--user=name:secret"; not "-print", where "-p" is told to be an option by itself. */
function attaches(word: string, flag: string): boolean {
  if (flag.startsWith('--')) return word.startsWith(`${flag}=`);
  return word.length > flag.length && word.startsWith(flag);
}

const option = /^(['"]?-{0,2})([A-Za-z_][\w.-]*)([=:])(.*)$/s;

/** "--password=x", "--password x", "PASSWORD=x", "password:x". */
function maskOption(word: string, state: State): string | null {
  const [, dashes = '', name = '', sign = '', value = ''] = option.exec(word) ?? [];
  if (name !== '') {
    if (!isSecretName(name) || value.startsWith('//')) return null;
    if (value === '') {
      if (sign === ':') state.next = 'token';
      return word;
    }
    whole(value, state);
    return dashes + name + sign + hidden;
  }
  const bare = /^-{1,2}([A-Za-z_][\w.-]+)$/.exec(word)?.[1];
  if (bare !== undefined && isSecretName(bare)) {
    state.next = 'secret';
    return word;
  }
  if (schemes.test(word) && /bearer/i.test(word)) {
    state.next = 'secret';
    return word;
  }
  return null;
}

const secret =
  /(?:passwords?|passwd|passphrase|passcode|secrets?|secretkey|privatekey|accesskey|apikeys?|authkey|token|credentials?|storepass|keypass|dbpass|userpass|rootpass|accountkey|encryptionkey|signingkey|masterkey|requirepass|masterauth|bearer|authorization|cookie|psk|.pwd)$/;
/** Of names in capitals: what they hold. */
const secretInside =
  /SECRET|TOKEN|PASSWORD|PASSWD|APIKEY|API_KEY|PRIVATE_KEY|ACCESS_KEY|CREDENTIAL/;
/** Last words of names that tell of something else than the secret itself. */
const about =
  /(?:^|[-_.])(?:files?|path|dir|directory|url|uri|bucket|limit|count|max|min|ttl|type|length|len|size|policy|timeout|expiry|expires|name|id|field|endpoint|mode|format|algorithm|prompt|stdin|env|command|enabled|required|tokens|secs|seconds|rate|ring|provider|issuer|audience)$/i;

/** Whether an option or a variable of that name holds a credential. */
function isSecretName(name: string): boolean {
  if (about.test(name) || /^no-/.test(name)) return false;
  if (/^[A-Z][A-Z0-9_]*$/.test(name) && secretInside.test(name)) return true;
  const words = name.split(/[-_.]/);
  const compact = words.join('').toLowerCase();
  if (secret.test(compact)) return compact !== 'oldpwd';
  // PWD is the working folder.
  return name !== 'PWD' && /^(?:pass|pwd?)$/i.test(words.at(-1)?.split('_').at(-1) ?? '');
}

/** Names with their sign; what stands behind "https:" is looked at for itself. */
const nested = /(?<=^|[,;&?'"{([\s=:])([A-Za-z_][\w.-]*)['"]?[=:](?!\/\/)\s*['"]?/g;
const valueEnd = /[\s,;&'"})\]]|$/g;

/** "--set a=1,password=x", "https://host/?token=x", '{"password":"x"}'. */
function maskNested(word: string): string {
  let shown = '';
  let from = 0;
  for (const { index, 0: all, 1: name = '' } of word.matchAll(nested)) {
    const start = index + all.length;
    if (index < from || !isSecretName(name)) continue;
    valueEnd.lastIndex = start;
    const end = valueEnd.exec(word)?.index ?? word.length;
    if (end === start) continue;
    shown += word.slice(from, start) + hidden;
    from = end;
  }
  return shown + word.slice(from);
}

const header =
  /^(['"]?(?:-H)?['"]?)((?:proxy-)?authorization|x-api-key|x-auth-token|x-vault-token|private-token|(?:set-)?cookie)(\s*:\s*)(?:(bearer|basic|token|digest|negotiate)(\s+))?(.*)$/is;

function maskHeader(word: string, state: State): string {
  const [, start = '', name = '', colon = '', scheme = '', blank = '', value = ''] =
    header.exec(word) ?? [];
  if (value === '') state.next = 'token';
  return start + name + colon + scheme + blank + (value === '' ? '' : hidden);
}

/** Credentials that are known by their form, wherever they stand. */
const forms =
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\beyJ[\w-]{8,200}\.[\w-]{8,}(?:\.[\w-]*)?|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bsk-(?=[\w-]{0,100}\d)[\w-]{16,}|\bxox[abeprs]-[\w-]{10,}|\bAIza[\w-]{30,}|\bhf_[A-Za-z0-9]{20,}|\bnpm_[A-Za-z0-9]{30,}|\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bdckr_pat_[\w-]{20,}|\bpypi-[\w-]{20,}|\bhvs\.[\w-]{20,}/g;
const userInfo = /([a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]*:)[^\s/]+@/gi;
/** Nobody's name is that long. */
const userToken = /(https?:\/\/)[^\s/:@]{20,}@/gi;
const privateKey = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/;
const passSource = /^(pass:).+$/s;

function maskForms(word: string): string {
  const url = word.includes('://')
    ? word.replace(userInfo, `$1${hidden}@`).replace(userToken, `$1${hidden}@`)
    : word;
  return url.replace(forms, hidden).replace(passSource, `$1${hidden}`);
}
