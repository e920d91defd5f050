/** The configured marketplace accounts, each spoken to in its own way. */
import type { Marketplace } from '../../delivery/ports.ts';
import { outgoingHttp } from '../outgoing-http.ts';
import { amazonMarketplace } from './amazon.ts';
import { ebayMarketplace } from './ebay.ts';
import { shopMarketplace } from './shop.ts';
import { refreshedToken, type TokenAccess } from './token.ts';

export type AccountAccess =
  | ({
      readonly kind: 'amazon';
      readonly url: string;
      readonly seller: string;
      readonly marketplace: string;
    } & TokenAccess)
  | ({ readonly kind: 'ebay'; readonly url: string } & TokenAccess)
  | { readonly kind: 'shop'; readonly url: string; readonly token: string };

export type OpenedMarketplace = Marketplace & { readonly close: () => Promise<void> };

export function openMarketplace(access: AccountAccess): OpenedMarketplace {
  // Named by the installation itself, so they may be anywhere.
  const http = outgoingHttp({});
  return { ...marketplaceOf(access), close: http.close };

  function marketplaceOf(of: AccountAccess): Marketplace {
    switch (of.kind) {
      case 'amazon':
        return amazonMarketplace(http, of, refreshedToken(http, of, { basic: false }));
      case 'ebay':
        return ebayMarketplace(http, of, refreshedToken(http, of, { basic: true }));
      case 'shop':
        return shopMarketplace(http, of);
    }
  }
}
