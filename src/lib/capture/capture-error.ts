import { ShoalError } from '../model/error.ts';

/**
 * The library's error for what `getUserMedia`, `getDisplayMedia` or a media element rejected with
 * (Media Capture and Streams §10, DOMException names).
 */
export function toCaptureError(cause: unknown, what: string): ShoalError {
	if (cause instanceof ShoalError) return cause;
	const name = cause instanceof Error ? cause.name : '';
	switch (name) {
		case 'NotAllowedError':
		case 'SecurityError':
		case 'PermissionDeniedError':
			return new ShoalError('capture-denied', `${what} was refused`, { cause });
		case 'NotFoundError':
		case 'DevicesNotFoundError':
		case 'OverconstrainedError':
			return new ShoalError('no-device', `there is no such ${what}`, { cause });
		default:
			return new ShoalError('device-failed', `${what} could not be started`, { cause });
	}
}
