/** Resolves when `work` does, and after `ms` milliseconds in any case; rejects when `work` does before that. */
export async function within(work: Promise<unknown>, ms: number): Promise<void> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const tooLate = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
	try {
		await Promise.race([work, tooLate]);
	} finally {
		clearTimeout(timer);
	}
}
