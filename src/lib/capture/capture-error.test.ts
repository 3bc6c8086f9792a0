import { expect, test } from 'vitest';
import { ShoalError } from '../model/error.ts';
import { toCaptureError } from './capture-error.ts';

test.each([
	['NotAllowedError', 'capture-denied'],
	['SecurityError', 'capture-denied'],
	['NotFoundError', 'no-device'],
	['OverconstrainedError', 'no-device'],
	['NotReadableError', 'device-failed'],
	['AbortError', 'device-failed'],
])('%s becomes %s and keeps its cause', (name, code) => {
	const cause = new DOMException('x', name);
	const error = toCaptureError(cause, 'camera');
	expect(error.code).toBe(code);
	expect(error.cause).toBe(cause);
});

test('what is already one of our errors stays as it is', () => {
	const error = new ShoalError('bad-file', 'x');
	expect(toCaptureError(error, 'camera')).toBe(error);
});
