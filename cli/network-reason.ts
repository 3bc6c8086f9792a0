/** What failed, by the codes of Node, OpenSSL and undici. */
const REASONS: readonly [RegExp, string][] = [
	[/^(ENOTFOUND|EAI_AGAIN|EAI_FAIL|EAI_NODATA)$/, 'its name was not found'],
	[/^ECONNREFUSED$/, 'the connection was refused, so nothing listens at that port'],
	[/^(ETIMEDOUT|UND_ERR_\w*TIMEOUT|TimeoutError)$/, 'no answer came in time'],
	[/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'the connection broke off'],
	[/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'there is no way to it from here'],
	[/^ERR_SSL_/, 'it speaks no TLS there: is it http: instead of https:?'],
	[/^CERT_HAS_EXPIRED$/, 'its certificate has expired'],
	[/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'its certificate is for another name'],
	[/SELF_SIGNED|CERT|VERIFY|ISSUER/, 'its certificate is not one that is trusted here'],
];

/** Why something on the network could not be had, in words; the error's own where there are none for it. */
export function networkReason(error: unknown): string {
	const chain: Error[] = [];
	for (let at = error; at instanceof Error && chain.length < 8; at = at.cause) chain.push(at);
	for (const { name, code } of chain as { name: string; code?: unknown }[]) {
		const key = typeof code === 'string' ? code : name;
		const known = REASONS.find(([pattern]) => pattern.test(key));
		if (known) return known[1];
	}
	return chain.findLast(({ message }) => message !== '')?.message ?? String(error);
}
