/**
 * Where calls to addresses that others give us may go: only to public unicast addresses, by https, on allowed ports. The
 * address itself is judged, in whatever notation it was written, at the moment of connecting. ipaddr.js.
 */
import ipaddr from 'ipaddr.js';

export type AddressRules = {
  /** Ports that may be called. */
  readonly ports: readonly number[];
  /** Addresses or ranges, such as 127.0.0.1 or 10.1.0.0/16, that may be called though they are not public. */
  readonly allow: readonly string[];
  /** Addresses in `allow`, and only those, may be called by plain http too. */
  readonly allowHttp: boolean;
};

export const publicOnly: AddressRules = { ports: [443], allow: [], allowHttp: false };

/** Why a URL is not called; undefined when nothing about the URL itself forbids it. Its addresses are still to be judged. */
export function urlFault(text: string, rules: AddressRules): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'it is no URL';
  }
  const isHttp = url.protocol === 'http:' && rules.allowHttp;
  if (url.protocol !== 'https:' && !isHttp) return 'only https is called';
  if (url.username !== '' || url.password !== '') return 'a URL must not carry a user or password';
  const port = url.port === '' ? (isHttp ? 80 : 443) : Number(url.port);
  if (!rules.ports.includes(port)) return `port ${port} is not allowed`;
  const literal = literalAddress(url.hostname);
  if (literal !== undefined) return addressFault(literal, rules, isHttp);
  if (isLocalName(url.hostname)) return `${url.hostname} is a name of this machine or network`;
  return undefined;
}

/** The address that a host name is; undefined when it has to be looked up. */
export function literalAddress(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(bare) ? bare : undefined;
}

function isLocalName(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.+$/, '');
  return (
    !name.includes('.') ||
    ['.localhost', '.local', '.internal', '.lan', '.home', '.corp', '.intranet'].some((ending) =>
      name.endsWith(ending),
    )
  );
}

/** Why an address is not connected to; undefined when it may be. */
export function addressFault(
  address: string,
  rules: AddressRules,
  isHttp = false,
): string | undefined {
  if (!ipaddr.isValid(address)) return `${address} is no address`;
  const parsed = ipaddr.parse(address);
  if (isAllowed(parsed, rules)) return undefined;
  if (isHttp) return 'only https is called';
  const range = parsed.range();
  // Only what is handed out as global unicast: mapped, translated and tunnelled forms of IPv4 lie outside or are named.
  const isPublic =
    range === 'unicast' &&
    (parsed.kind() === 'ipv4' ||
      parsed.match(ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number]));
  return isPublic ? undefined : `${address} is not a public address (${range})`;
}

function isAllowed(address: ipaddr.IPv4 | ipaddr.IPv6, rules: AddressRules): boolean {
  return rules.allow.some((text) => {
    const whole = ipaddr.isValid(text) ? ipaddr.parse(text) : undefined;
    if (whole !== undefined) return whole.toNormalizedString() === address.toNormalizedString();
    const [network, bits] = ipaddr.parseCIDR(text);
    return network.kind() === address.kind() && address.match(network, bits);
  });
}
