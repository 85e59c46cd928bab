import { beforeEach, describe } from 'vitest';
import { type StoreSubject, storeContract } from '../../contract/store.ts';
import { openAt, temporaryDirectory } from './fixture.ts';

describe('a store in SQLite', () => {
  let file: string | undefined;
  beforeEach(() => {
    file = undefined;
  });
  // `create` starts a new file, so that a property's runs do not meet each other.
  const subject: StoreSubject = {
    open(mode) {
      if (mode === 'create' || file === undefined) file = `${temporaryDirectory()}/baseline.db`;
      return openAt(file, mode);
    },
  };
  storeContract(() => subject);
});
