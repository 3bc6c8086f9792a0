/** A camera or microphone. */
export interface Device {
	readonly id: string;
	/** Name for people; empty until the person has allowed a capture once. */
	readonly label: string;
}

/** The cameras and microphones of this machine. Browsers hide names, and all but one of each, until a capture was allowed. */
export async function listDevices(): Promise<{ cameras: Device[]; microphones: Device[] }> {
	const cameras: Device[] = [];
	const microphones: Device[] = [];
	for (const { kind, deviceId, label } of await enumerate()) {
		if (deviceId === '') continue;
		if (kind === 'videoinput') cameras.push({ id: deviceId, label });
		if (kind === 'audioinput') microphones.push({ id: deviceId, label });
	}
	return { cameras, microphones };
}

async function enumerate(): Promise<MediaDeviceInfo[]> {
	// Absent on insecure origins and in some embedded views; to a person that is the same as no devices.
	const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
	return devices ? devices.enumerateDevices().catch(() => []) : [];
}
