import { expect, test } from 'vitest';
import { composedPrograms } from '../../src/helper/composed-programs.ts';

test('a program keeps its file whatever is composed after it, and the oldest go', () => {
  const files = new Map<string, string>();
  const write = composedPrograms(
    {
      write(name, text) {
        files.set(name, text);
        return name;
      },
      remove: (name) => void files.delete(name),
    },
    64,
  );
  const admitted = write('function-count.bt', 'admitted');
  for (let more = 1; more < 64; more++) write('function-count.bt', 'refused');
  expect(files.get(admitted)).toBe('admitted');
  for (let more = 0; more < 200; more++) {
    write('function-count.bt', 'refused');
    expect(files.get(admitted)).toBeUndefined();
  }
  expect(files.size).toBe(64);
});
