// Counts the results of the test run and fails when a kernel test was skipped although it could run.
import { readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
let results;
try {
  results = JSON.parse(readFileSync(file, 'utf8'));
} catch (error) {
  console.error(`no results: ${error.message}`);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}

const CAP_SYS_ADMIN = 1n << 21n;
const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]}`);
const canWatch = process.getuid() === 0 && (effective & CAP_SYS_ADMIN) !== 0n;

const tests = results.testResults.flatMap(({ name, assertionResults }) =>
  assertionResults.map(({ status, fullName }) => ({ file: name, status, fullName })),
);
const isSkipped = ({ status }) => status !== 'passed' && status !== 'failed';
const passed = tests.filter(({ status }) => status === 'passed').length;
const skipped = tests.filter(isSkipped);
const brokenFiles = results.testResults.filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed'));
const failed = tests.filter(({ status }) => status === 'failed').length + brokenFiles.length;

const wrongly = canWatch ? skipped.filter(({ file }) => file.includes('/test/kernel/')) : [];
for (const { file, fullName } of skipped) console.error(`skipped: ${file}: ${fullName}`);
for (const { fullName } of wrongly) console.error(`skipped although this is root with CAP_SYS_ADMIN: ${fullName}`);
console.log(`${passed} passed, ${failed + wrongly.length} failed, ${skipped.length - wrongly.length} skipped`);
process.exit(failed > 0 || wrongly.length > 0 || passed === 0 ? 1 : 0);
