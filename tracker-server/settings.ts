import * as v from 'valibot';

const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const amount = v.pipe(v.number(), v.integer(), v.minValue(1));
const seconds = v.pipe(v.number(), v.minValue(0), v.maxValue(3_600));
const text = v.pipe(v.string(), v.minLength(1));
const hexHash = v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{40}$/, 'must be 40 hexadecimal digits'));
const urlOf = (...schemes: string[]) =>
	v.pipe(
		v.string(),
		v.check(
			(value) => URL.canParse(value) && schemes.includes(new URL(value).protocol),
			`must be a URL that begins with ${schemes.join(' or ')}`,
		),
	);
const iceServer = v.object({
	urls: v.union([text, v.pipe(v.array(text), v.minLength(1))]),
	username: v.optional(v.string()),
	credential: v.optional(v.string()),
});
const origin = v.pipe(
	v.string(),
	v.check(
		(value) => value === 'null' || (URL.canParse(value) && new URL(value).origin === value),
		'must be an origin such as https://example.org',
	),
);

type Kind = 'text' | 'number' | 'list' | 'json' | 'flag';

interface Setting {
	readonly kind: Kind;
	readonly env: string;
	/** What stands for the value in the help; absent for flags. */
	readonly value?: string;
	readonly help: string;
	readonly schema: v.GenericSchema;
}

/** Every setting once: its flag (in kebab case), its variable, its help and its check. */
export const settings = {
	host: {
		kind: 'text',
		env: 'HOST',
		value: '<address>',
		help: 'address to listen on (default 0.0.0.0)',
		schema: text,
	},
	port: {
		kind: 'number',
		env: 'PORT',
		value: '<number>',
		help: 'TCP port, and UDP port for STUN (default 8000)',
		schema: port,
	},
	pages: {
		kind: 'text',
		env: 'SHOAL_PAGES',
		value: '<folder>',
		help: 'folder of the built pages (default: those beside the program)',
		schema: text,
	},
	trackerOnly: {
		kind: 'flag',
		env: 'SHOAL_TRACKER_ONLY',
		help: 'serve no pages',
		schema: v.boolean(),
	},
	trackers: {
		kind: 'list',
		env: 'SHOAL_TRACKERS',
		value: '<url,…>',
		help: 'announce URLs told to the pages (default: this server)',
		schema: v.pipe(v.array(urlOf('ws:', 'wss:')), v.maxLength(16)),
	},
	ice: {
		kind: 'json',
		env: 'SHOAL_ICE',
		value: '<json>',
		help: 'ICE servers told to the pages, as RTCConfiguration.iceServers',
		schema: v.pipe(v.array(iceServer), v.maxLength(12)),
	},
	noStun: {
		kind: 'flag',
		env: 'SHOAL_NO_STUN',
		help: 'do not answer STUN on the UDP port',
		schema: v.boolean(),
	},
	turnUrls: {
		kind: 'list',
		env: 'SHOAL_TURN_URLS',
		value: '<url,…>',
		help: 'TURN servers that share turn-secret',
		schema: v.pipe(v.array(urlOf('turn:', 'turns:')), v.maxLength(4)),
	},
	turnSecret: {
		kind: 'text',
		env: 'SHOAL_TURN_SECRET',
		value: '<text>',
		help: "coturn's static-auth-secret",
		schema: text,
	},
	turnTtl: {
		kind: 'number',
		env: 'SHOAL_TURN_TTL',
		value: '<seconds>',
		help: 'life of TURN credentials (default 7200)',
		schema: v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(86_400)),
	},
	trustedHops: {
		kind: 'number',
		env: 'SHOAL_TRUSTED_HOPS',
		value: '<number>',
		help: 'proxies in front whose X-Forwarded-For and -Proto are true (default 0)',
		schema: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8)),
	},
	regionHeader: {
		kind: 'text',
		env: 'SHOAL_REGION_HEADER',
		value: '<name>',
		help: 'header in which a trusted proxy names the region of a visitor',
		schema: v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/, 'must be a header name')),
	},
	origins: {
		kind: 'list',
		env: 'SHOAL_ORIGINS',
		value: '<origin,…>',
		help: 'sites whose pages may use the tracker (default: all)',
		schema: v.array(origin),
	},
	allow: {
		kind: 'list',
		env: 'SHOAL_ALLOW',
		value: '<hash,…>',
		help: 'infohashes served (default: all)',
		schema: v.array(hexHash),
	},
	tokenSecret: {
		kind: 'text',
		env: 'SHOAL_TOKEN_SECRET',
		value: '<text>',
		help: 'secret of join tokens (JWT HS256), 32 characters or more',
		schema: v.pipe(v.string(), v.minLength(32, 'must have 32 characters or more')),
	},
	tokenKey: {
		kind: 'text',
		env: 'SHOAL_TOKEN_KEY',
		value: '<base64url>',
		help: 'Ed25519 public key of join tokens (JWT EdDSA)',
		schema: v.pipe(v.string(), v.regex(/^[\w-]{43}$/, 'must be 32 bytes in base64url')),
	},
	tokens: {
		kind: 'text',
		env: 'SHOAL_TOKENS',
		value: 'required|roles',
		help: 'whether a token is needed, or only grants a role (default required)',
		schema: v.picklist(['required', 'roles']),
	},
	scrape: {
		kind: 'text',
		env: 'SHOAL_SCRAPE',
		value: 'named|joined|off',
		help: 'whose counts a scrape may ask for (default named)',
		schema: v.picklist(['named', 'joined', 'off']),
	},
	maxConnections: {
		kind: 'number',
		env: 'SHOAL_MAX_CONNECTIONS',
		value: '<number>',
		help: 'connections in all (default 100000)',
		schema: amount,
	},
	maxPerAddress: {
		kind: 'number',
		env: 'SHOAL_MAX_PER_ADDRESS',
		value: '<number>',
		help: 'connections of one address (default 50)',
		schema: amount,
	},
	maxSwarms: {
		kind: 'number',
		env: 'SHOAL_MAX_SWARMS',
		value: '<number>',
		help: 'swarms in all (default 100000)',
		schema: amount,
	},
	adminPort: {
		kind: 'number',
		env: 'SHOAL_ADMIN_PORT',
		value: '<number>',
		help: 'port of the status page and /metrics (default: none)',
		schema: port,
	},
	adminHost: {
		kind: 'text',
		env: 'SHOAL_ADMIN_HOST',
		value: '<address>',
		help: 'address of the admin port (default 127.0.0.1)',
		schema: text,
	},
	redis: {
		kind: 'text',
		env: 'SHOAL_REDIS_URL',
		value: '<url>',
		help: 'Valkey or Redis 7 that joins several nodes into one tracker',
		schema: urlOf('redis:', 'rediss:'),
	},
	node: {
		kind: 'text',
		env: 'SHOAL_NODE',
		value: '<name>',
		help: 'name of this node in the cluster (default: random)',
		schema: v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/, 'must be letters, digits, . _ -')),
	},
	drain: {
		kind: 'number',
		env: 'SHOAL_DRAIN',
		value: '<seconds>',
		help: 'time over which connections are closed on SIGTERM (default 5)',
		schema: seconds,
	},
	logLevel: {
		kind: 'text',
		env: 'SHOAL_LOG_LEVEL',
		value: '<level>',
		help: 'trace, debug, info, warn, error, silent (default info)',
		schema: v.picklist(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
	},
	logAddresses: {
		kind: 'flag',
		env: 'SHOAL_LOG_ADDRESSES',
		help: 'write addresses into the log',
		schema: v.boolean(),
	},
	config: {
		kind: 'text',
		env: 'SHOAL_CONFIG',
		value: '<file>',
		help: 'JSON file of these settings, by their names in camelCase',
		schema: text,
	},
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

/** Settings after their checks; those nobody set are absent. */
export type Settings = {
	readonly [K in SettingName]?: v.InferOutput<(typeof settings)[K]['schema']>;
};

/** The same table with each entry's general type, for code that walks it. */
export const settingTable: ReadonlyMap<SettingName, Setting> = new Map(
	Object.entries(settings) as [SettingName, Setting][],
);

/** `adminPort` → `admin-port`. */
export function flagOf(name: SettingName): string {
	return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
