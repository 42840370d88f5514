import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskSecrets } from '../../parsers/secrets.ts';

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N';
const github = `ghp_${'a1B2c3D4e5'.repeat(3)}`;

/** Arguments stand between "|". */
test.each([
  ['app|--password=x1', 'app|--password=***'],
  ['app|--password|x1|--user|bob', 'app|--password|***|--user|bob'],
  ['app|-password|x1', 'app|-password|***'],
  ['app|--db-passwd|x1', 'app|--db-passwd|***'],
  ['app|--dbPassword=x1', 'app|--dbPassword=***'],
  ['app|--pass|x1', 'app|--pass|***'],
  ['app|--token=x1', 'app|--token=***'],
  ['app|--token|5', 'app|--token|***'],
  ['app|token=x1', 'app|token=***'],
  ['app|--api-key|x1', 'app|--api-key|***'],
  ['app|--apiKey=x1', 'app|--apiKey=***'],
  ['app|--client-secret=x1', 'app|--client-secret=***'],
  ['app|--password=|next', 'app|--password=|next'],
  ['env|AWS_SECRET_ACCESS_KEY=x1|app', 'env|AWS_SECRET_ACCESS_KEY=***|app'],
  ['env|MY_TOKEN_V2=x1|app', 'env|MY_TOKEN_V2=***|app'],
  ['env|PGPASSWORD=x1|psql', 'env|PGPASSWORD=***|psql'],
  ['env|MYSQL_PWD=x1|mysql', 'env|MYSQL_PWD=***|mysql'],
  ['env|STRIPE_API_KEY=x1', 'env|STRIPE_API_KEY=***'],
  ['mysql|-u|root|-psecret|db', 'mysql|-u|root|-p***|db'],
  ['/usr/bin/mysqldump|-p1234|db', '/usr/bin/mysqldump|-p***|db'],
  ['sudo|mysql|-psecret', 'sudo|mysql|-p***'],
  ['sshpass|-p|x1|ssh|host', 'sshpass|-p|***|ssh|host'],
  ['sshpass|-px1|ssh|-p|22|host', 'sshpass|-p***|ssh|-p|22|host'],
  ['redis-cli|-a|x1|ping', 'redis-cli|-a|***|ping'],
  ['curl|-u|bob:x1|https://h/', 'curl|-u|bob:***|https://h/'],
  ['curl|-ubob:x1|https://h/', 'curl|-ubob:***|https://h/'],
  ['curl|--user=bob:x1', 'curl|--user=bob:***'],
  ['curl|-H|Authorization: Bearer x1', 'curl|-H|Authorization: Bearer ***'],
  ['curl|-H|authorization:Basic dTpw', 'curl|-H|authorization:Basic ***'],
  ['curl|-HX-Api-Key: x1', 'curl|-HX-Api-Key: ***'],
  ['curl|-H|Cookie: a=b; c=d', 'curl|-H|Cookie: ***'],
  ['curl|Authorization:|Bearer|x1|-v', 'curl|Authorization:|Bearer|***|-v'],
  ['curl|https://bob:x1@host/a', 'curl|https://bob:***@host/a'],
  ['curl|https://bob:x@1@host/a', 'curl|https://bob:***@host/a'],
  ['psql|postgres://u:p@h:5432/db', 'psql|postgres://u:***@h:5432/db'],
  ['app|DATABASE_URL=postgres://u:p@h/db', 'app|DATABASE_URL=postgres://u:***@h/db'],
  ['curl|https://h/?a=1&token=x1&b=2', 'curl|https://h/?a=1&token=***&b=2'],
  ['curl|https://h/?token=x1&b=2', 'curl|https://h/?token=***&b=2'],
  ['curl|https://h:1/?api_key=x1', 'curl|https://h:1/?api_key=***'],
  ['env|HOOK=https://h/?token=x1', 'env|HOOK=https://h/?token=***'],
  ['sh|-c|curl "https://h/?access_token=x=1"', 'sh|-c|curl "https://h/?access_token=***"'],
  ['curl|-b|sid=x1|https://h/', 'curl|-b|***|https://h/'],
  ['curl|-d|{"pwd":"x1"}', 'curl|-d|{"pwd":"***"}'],
  ['app|Server=h;Uid=sa;Pwd=x1;', 'app|Server=h;Uid=sa;Pwd=***;'],
  ['app|--pw|x1', 'app|--pw|***'],
  ['env|DB_PW=x1', 'env|DB_PW=***'],
  ['az|AccountName=a;AccountKey=x1==;B=c', 'az|AccountName=a;AccountKey=***;B=c'],
  ['npm|//registry.example/:_authToken=x1', 'npm|//registry.example/:_authToken=***'],
  ['docker|login|-u|bob|-p|x1|host', 'docker|login|-u|bob|-p|***|host'],
  ['openssl|enc|-k|x1', 'openssl|enc|-k|***'],
  [`git|https://${'a1'.repeat(20)}@host/a`, 'git|https://***@host/a'],
  [`app|sk_live_${'a1'.repeat(12)}`, 'app|***'],
  [`app|SG.${'a1'.repeat(11)}.${'b2'.repeat(20)}`, 'app|***'],
  [`vault|login|hvs.${'a1'.repeat(20)}`, 'vault|login|***'],
  ['app|-----BEGIN RSA PRIVATE KEY-----\nx1\n', 'app|***'],
  ['helm|--set|image=a,auth.password=x1,c=d', 'helm|--set|image=a,auth.password=***,c=d'],
  ['kubectl|--from-literal=password=x1', 'kubectl|--from-literal=password=***'],
  ['app|{"user":"bob","password":"x1"}', 'app|{"user":"bob","password":"***"}'],
  ['openssl|-passin|pass:x1', 'openssl|-passin|pass:***'],
  ['aws|AKIAIOSFODNN7EXAMPLE', 'aws|***'],
  [`app|${jwt}`, 'app|***'],
  [`git|clone|https://${github}@github.com/a`, 'git|clone|https://***@github.com/a'],
  ['app|sk-proj-abcdefgh12345678', 'app|***'],
  ['sh|-c|mysql -psecret db', 'sh|-c|mysql -p*** db'],
  ['sh|-c|X_TOKEN=a b --password "c d" e', 'sh|-c|X_TOKEN=*** b --password *** *** e'],
  [`sh|-c|app --password='a b' c`, 'sh|-c|app --password=*** *** c'],
  ['postgres: bob --password=x1', 'postgres: bob --password=***'],
])('%s', (given, shown) => {
  expect(maskSecrets(given.split('|')).join('|')).toBe(shown);
});

describe('is shown as it is', () => {
  test.each([
    'ssh|-p|22|host',
    'server|-p|8080',
    'server|-p8080',
    'curl|https://host/token/a?b=https://c/d',
    'app|upward=1|--pwm=5|cpw:1',
    'git|clone|https://bob@host/a',
    'docker|run|-p|8080:80|nginx',
    'llm|--max-tokens|5',
    'llm|--max-tokens=5|--tokenizer=bpe',
    'proxy|--token-bucket=5|--token-ttl|60',
    'app|--password-file=/run/x|--token-path|/y',
    'docker|login|--password-stdin|-u|bob',
    'app|--no-password|--verbose',
    'mysql|-p|db',
    'cp|-p|a|b',
    'find|.|-print|-path|./a',
    'make|compass|bypass=1',
    'sort|-k2|--key=1',
    'ssh-keygen|-t|ed25519',
    'ssh|-i|/home/bob/.ssh/id_ed25519|bob@host',
    'git|clone|ssh://git@github.com/a/b.git',
    'curl|https://host:8443/a?b=c',
    'env|PWD=/root|OLDPWD=/|PATH=/usr/bin:/bin',
    'app|TOKEN_FILE=/run/x|SECRET_NAME=db',
    'node|/srv/author/keyboard.js',
    'python|-m|sklearn|disk-abcdefghijklmnop',
    'systemd|--switched-root|--system',
    '[kworker/0:1-events]',
    '',
  ])('%s', (given) => {
    expect(maskSecrets(given.split('|')).join('|')).toBe(given);
  });
});

test('as many arguments come out as went in, whatever they hold', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('mysql', '-p', '--password', '--token=', 'Authorization:', '"', "'", 'a b'),
  );
  fc.assert(
    fc.property(fc.array(word), (args) => {
      const masked = maskSecrets(args);
      expect(masked).toHaveLength(args.length);
      // What is masked may be asked again.
      expect(maskSecrets(masked)).toHaveLength(args.length);
    }),
  );
});

test('a secret behind --password= never comes through, whatever stands around it', () => {
  const around = fc.array(fc.string({ unit: fc.constantFrom(...'abc-=:./ ') }), { maxLength: 5 });
  fc.assert(
    fc.property(around, around, (before, after) => {
      const args = ['app', ...before, '--password=S3CRETVALUE', ...after];
      expect(maskSecrets(args).join(' ')).not.toContain('S3CRETVALUE');
    }),
  );
});

test.each([
  'a:',
  'https://u:',
  '=,',
  'sk-',
  '-eyJ',
  'token=a,',
  'a b ',
  'a',
  'a://',
  "'",
  'a.',
  'a=',
  'SG.a',
])('time does not grow with the square of the length: 128 KiB of %j', (piece) => {
  const args = [piece.repeat(131_072 / piece.length), '--password=x'];
  expect(maskSecrets(args)[1]).not.toContain('x');
});
