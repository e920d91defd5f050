// Generated from the .avsc files by `npm run generate`. Do not edit.
// Quantities (decimal) are safe integers in thousandths of a unit; times are milliseconds since the epoch.

/** A person has seen an anomaly and looks after it. */
export type Acknowledgement = {
  /** Its id. */
  readonly anomaly: string;
  /** Who. */
  readonly actor: string;
  /** Why, or what is done about it. */
  readonly note: string;
  /** When. */
  readonly at: number;
};

/** What one till did in the slot. */
export type TillActivity = {
  /** Till, as the receipts name it. */
  readonly till: string;
  /** Sold lines. */
  readonly lines: number;
  /** Lines that repeat another receipt's line: same second, SKU and quantity. */
  readonly twins: number;
};

/** What one partition of the movements saw of a place or a source in one slot of time. Sums over partitions are the whole. */
export type Activity = {
  /** Location; empty for a source. */
  readonly location: string;
  /** Source system; empty for a location. */
  readonly system: string;
  /** Beginning of the slot. */
  readonly slot: number;
  /** Its length in milliseconds. */
  readonly slotMs: number;
  /** Sold lines, or for a source everything that it told. */
  readonly lines: number;
  /** The tills of the location; empty for a source. */
  readonly tills: readonly TillActivity[];
};

/** How bad. */
export type Severity = 'info' | 'warning' | 'critical';

/** Something a person should look at. */
export type Alert = {
  /** The same for a repetition of the same alert. */
  readonly id: string;
  /** negativeAvailable, echoMismatch, echoOpen, late, lostTransactionEnd, restatement, ... */
  readonly kind: string;
  /** Severity. */
  readonly severity: Severity;
  /** SKU, or empty. */
  readonly sku: string;
  /** Location, or empty. */
  readonly location: string;
  /** Source system, or empty. */
  readonly system: string;
  /** One sentence. */
  readonly message: string;
  /** What was expected. */
  readonly expected: string;
  /** What was seen. */
  readonly seen: string;
  /** When, in the source's time. */
  readonly raisedAt: number;
  /** False closes it. */
  readonly open: boolean;
};

/** Where it is in its life. updated: still open, and the figures have changed. acknowledged: a person has seen it; it still closes by itself. */
export type AnomalyState = 'open' | 'updated' | 'acknowledged' | 'closed';

/** One thing that was looked at. */
export type Evidence = {
  /** What. */
  readonly name: string;
  /** Its value. */
  readonly value: string;
};

/** Something that does not look right, as it stands after this record. The records of one id tell its life: open, updated, acknowledged, closed. */
export type Anomaly = {
  /** Names this episode: subject and the moment it opened. */
  readonly id: string;
  /** What it is about: kind, SKU, location, till, system. At most one episode of a subject is open. */
  readonly subject: string;
  /** negativeStock, suddenDrop, salesSpike, salesSilence, silentSource, silentTill, duplicateBurst, stuckLevel or countDiscrepancy. */
  readonly kind: string;
  /** State. */
  readonly state: AnomalyState;
  /** Severity. */
  readonly severity: Severity;
  /** SKU, or empty. */
  readonly sku: string;
  /** Location, or empty. */
  readonly location: string;
  /** Till, as the receipts name it, or empty. */
  readonly till: string;
  /** Source system, or empty. */
  readonly system: string;
  /** One sentence. */
  readonly message: string;
  /** What was expected, in words and units. */
  readonly expected: string;
  /** What was seen, in words and units. */
  readonly seen: string;
  /** What was expected as a figure, in units or receipt lines. */
  readonly expectedValue: number;
  /** What was seen as a figure, in the same unit. */
  readonly seenValue: number;
  /** How likely so much or more is when nothing is wrong; 0 where it is a fact and not a chance. */
  readonly probability: number;
  /** The probability below which it is told, after allowing for how many cells are looked at; 0 for a fact. */
  readonly threshold: number;
  /** What was looked at: times, documents, rates. */
  readonly evidence: readonly Evidence[];
  /** When it was first seen. */
  readonly openedAt: number;
  /** When this record was written, by the clock of the stream. */
  readonly observedAt: number;
  /** When it was over; null while it is open. */
  readonly closedAt: null | number;
  /** Who has acknowledged it, or empty. */
  readonly acknowledgedBy: string;
  /** What that person wrote. */
  readonly note: string;
};

/** One secret of a key, of which only the hash is known. */
export type ApiKeySecret = {
  /** SHA-256 of the secret, which has 256 random bits. */
  readonly hash: Uint8Array;
  /** It is not taken from then on; null: as long as the key. */
  readonly endsAt: null | number;
};

/** What was done to a key. */
export type ApiKeyAction = 'created' | 'rotated' | 'revoked';

/** A client of the API. The newest record of an id holds; none is deleted, so that what it did can be traced. */
export type ApiKey = {
  /** Id; begins the keys of the client's requests. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** What it may do: a verb, or a verb at one channel or location. */
  readonly scopes: readonly string[];
  /** Its quota; null: the installation's. */
  readonly requestsPerMinute: null | number;
  /** Any of them is taken, so that one can be replaced without a pause. Empty once the key is revoked. */
  readonly secrets: readonly ApiKeySecret[];
  /** What this record did. */
  readonly action: ApiKeyAction;
  /** Who did it. */
  readonly actor: string;
  /** Why. */
  readonly reason: string;
  /** When. */
  readonly changedAt: number;
};

/** Who did what, and why; chained by hash within a partition. */
export type AuditEntry = {
  /** Id. */
  readonly id: string;
  /** Who. */
  readonly actor: string;
  /** What. */
  readonly action: string;
  /** On what. */
  readonly subject: string;
  /** Why. */
  readonly reason: string;
  /** Document. */
  readonly reference: string;
  /** When. */
  readonly occurredAt: number;
  /** Hash of the entry before. */
  readonly previousHash: Uint8Array;
  /** SHA-256 of this entry and the one before. */
  readonly hash: Uint8Array;
};

/** Policies that a person has put in force. Each partition of the channels has a record of them. */
export type ChannelPolicies = {
  /** As JSON, in the form of the file of policies. */
  readonly policies: string;
  /** Who. */
  readonly actor: string;
  /** Why. */
  readonly reason: string;
  /** When. */
  readonly at: number;
};

/** inStock, low (at or below the channel's threshold), out. */
export type StockStatus = 'inStock' | 'low' | 'out';

/** movement: a source transaction. decision: an accepted command. expiry: a reservation's time to live. restatement: a corrected past. policy: a channel's policy, or what it says of stale sources. */
export type CauseKind = 'movement' | 'decision' | 'expiry' | 'restatement' | 'policy';

/** What made a figure change: the place in the source it comes from. */
export type Cause = {
  /** What kind of step. */
  readonly kind: CauseKind;
  /** Id of the movement or decision. */
  readonly id: string;
  /** Source system, such as erp. */
  readonly system: string;
  /** Source transaction: PostgreSQL's transaction id, MariaDB's GTID; empty for snapshot reads. */
  readonly transaction: string;
  /** Position in the source's log, comparable as text within one system. */
  readonly position: string;
  /** When the source committed. */
  readonly committedAt: number;
};

/** What one channel may sell of a SKU. */
export type ChannelStock = {
  /** Sales channel. */
  readonly channel: string;
  /** SKU. */
  readonly sku: string;
  /** Units; never negative. */
  readonly sellable: number;
  /** Level. */
  readonly status: StockStatus;
  /** Counts the published figures of this SKU on this channel. */
  readonly sequence: number;
  /** The sequence published before this one. */
  readonly previousSequence: number;
  /** Id of the policy that computed it. */
  readonly formula: string;
  /** Version of that policy. */
  readonly formulaVersion: number;
  /** What moved it. */
  readonly cause: Cause;
};

/** One decision asked of the single writer of a SKU. */
export type Command = {
  /** Request id and line. */
  readonly id: string;
  /** Client. */
  readonly client: string;
  /** The client's key. */
  readonly idempotencyKey: string;
  /** As in Request. */
  readonly kind: string;
  /** SKU. */
  readonly sku: string;
  /** Location. */
  readonly location: string;
  /** Units. */
  readonly quantity: number;
  /** Reservation. */
  readonly reservation: null | string;
  /** Channel. */
  readonly channel: null | string;
  /** Compare-and-swap. */
  readonly expectedSequence: null | number;
  /** Compare-and-swap. */
  readonly changeFromQuantity: null | number;
  /** Time to live. */
  readonly expiresAt: null | number;
  /** Why. */
  readonly reason: string;
  /** Document. */
  readonly reference: string;
  /** Who. */
  readonly actor: string;
  /** Business time. */
  readonly occurredAt: number;
  /** As in Request, for this line. */
  readonly policy: string;
  /** As in Request. */
  readonly locations: readonly string[];
  /** Target of a transfer. */
  readonly toLocation: null | string;
  /** As in Request. */
  readonly bucket: string;
  /** As in Request. */
  readonly echoKey: null | string;
  /** The line holds until its cart confirms or aborts it. */
  readonly undecided: boolean;
};

/** A header of the original record. */
export type DeadLetterHeader = {
  /** Name. */
  readonly name: string;
  /** Value. */
  readonly value: Uint8Array;
};

/** A record that could not be used, whole, and why. */
export type DeadLetter = {
  /** Who refused it. */
  readonly processor: string;
  /** Stable reason code. */
  readonly code: string;
  /** In words. */
  readonly reason: string;
  /** Where it came from. */
  readonly topic: string;
  /** Where it came from. */
  readonly partition: number;
  /** Where it came from. */
  readonly offset: number;
  /** The record's own time. */
  readonly timestamp: number;
  /** The original key. */
  readonly key: null | Uint8Array;
  /** The original value. */
  readonly value: null | Uint8Array;
  /** The original headers. */
  readonly headers: readonly DeadLetterHeader[];
  /** How often it was redriven. */
  readonly redrives: number;
};

/** What was granted at one location. */
export type DecisionPart = {
  /** Location. */
  readonly location: string;
  /** Units. */
  readonly quantity: number;
  /** The cell's sequence after the step. */
  readonly sequence: number;
  /** The cell's available after the step. */
  readonly available: number;
};

/** What the single writer of a SKU decided. */
export type Decision = {
  /** Command. */
  readonly commandId: string;
  /** SKU. */
  readonly sku: string;
  /** Location. */
  readonly location: string;
  /** Accepted or refused. */
  readonly accepted: boolean;
  /** Stable reason code; empty when accepted. */
  readonly code: string;
  /** In words. */
  readonly reason: string;
  /** Units granted. */
  readonly quantity: number;
  /** The cell's sequence at the decision. */
  readonly sequence: number;
  /** When. */
  readonly decidedAt: number;
  /** Units missing; null when nothing was asked for. */
  readonly short: null | number;
  /** By location; empty when refused. */
  readonly parts: readonly DecisionPart[];
  /** The reservation it acted on. */
  readonly reservation: null | string;
  /** The reservation's state for this SKU; empty when it has none. */
  readonly state: string;
};

/** What is told: a webhook receiver, a marketplace, a shop with a plain interface; other: a later kind. */
export type DestinationKind = 'webhook' | 'amazon' | 'ebay' | 'shop' | 'other';

/** accepted: the destination has it. queued: taken, and not done yet. throttled: too many calls. failed: not done, tried again. unknown: sent without an answer. refused: never taken as it is. exhausted: given up after the last attempt. disabled: the destination wants nothing more. verified: read back and equal. drifted: read back and different. other: a later outcome. */
export type DeliveryOutcome = 'accepted' | 'queued' | 'throttled' | 'failed' | 'unknown' | 'refused' | 'exhausted' | 'disabled' | 'verified' | 'drifted' | 'other';

/** One attempt to tell a figure to a destination outside, and what came of it. */
export type DeliveryAttempt = {
  /** Id of the webhook subscription or of the marketplace account. */
  readonly destination: string;
  /** What kind of destination. */
  readonly destinationKind: DestinationKind;
  /** Sales channel whose figure it is. */
  readonly channel: string;
  /** SKU. */
  readonly sku: string;
  /** Sequence of the figure on its channel; 0 for a test. */
  readonly sequence: number;
  /** Units that were told. */
  readonly sellable: number;
  /** Webhook id, or id of the call that carried it; attempts of one delivery share it. */
  readonly delivery: string;
  /** Counts the attempts of this figure, from 1. */
  readonly attempt: number;
  /** What came of it. */
  readonly outcome: DeliveryOutcome;
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  /** From the begin of the call to its end. */
  readonly tookMs: number;
  /** When the call began. */
  readonly attemptedAt: number;
  /** When the figure was written to its channel's topic. */
  readonly publishedAt: number;
  /** What the destination or the network said; empty when all is well. */
  readonly reason: string;
};

/** One hour or day ahead. Quantities in units; an interval of 90 percent lies between lower90 and upper90. */
export type ForecastStep = {
  /** Beginning of the hour or day. */
  readonly start: number;
  /** Its length: 1, or the hours of a day in the location's time zone. */
  readonly hours: number;
  /** Mean. */
  readonly expected: number;
  /** 2.5 percent lie below. */
  readonly lower95: number;
  /** 5 percent lie below. */
  readonly lower90: number;
  /** 10 percent lie below. */
  readonly lower80: number;
  /** Half lie below. */
  readonly median: number;
  /** 10 percent lie above. */
  readonly upper80: number;
  /** 5 percent lie above. */
  readonly upper90: number;
  /** 2.5 percent lie above. */
  readonly upper95: number;
};

/** What one SKU will sell at one location, with intervals. A later record of the same cell replaces it. */
export type Forecast = {
  /** SKU. */
  readonly sku: string;
  /** Location. */
  readonly location: string;
  /** When it was made. */
  readonly madeAt: number;
  /** Up to here sales were known; the first step begins here. */
  readonly from: number;
  /** What forecasts this cell: seasonal (level by weekday), seen (days of the SKU at all its locations as they were) or poor (too little history, taken from the SKU's other locations). */
  readonly method: string;
  /** Days of history. */
  readonly historyDays: number;
  /** Days of these without stock: they say nothing of demand and are left out. */
  readonly stockOutDays: number;
  /** Units a day at present, the season of the week taken off. */
  readonly dailyDemand: number;
  /** Hours first, then days. */
  readonly steps: readonly ForecastStep[];
  /** The day on which stock more likely than not has run out, without further receipts; null when beyond the horizon. */
  readonly stockOutAt: null | number;
  /** How likely stock runs out within the days forecast, with what is on order in time. */
  readonly stockOutProbability: number;
};

/** fresh, degraded (behind or paused), unknown. */
export type FreshnessState = 'fresh' | 'degraded' | 'unknown';

/** How far a source has come through the pipeline. */
export type Freshness = {
  /** Source system. */
  readonly source: string;
  /** capture, intake, tables (those that stand still), stock (and the channels with it) or analytics. */
  readonly hop: string;
  /** Last position seen. */
  readonly position: string;
  /** Everything committed in the source up to here is contained. */
  readonly asOf: number;
  /** When this was written. */
  readonly observedAt: number;
  /** State. */
  readonly state: FreshnessState;
  /** Why it is not fresh; empty when it is. */
  readonly reason: string;
};

/** approved: they are true. rejected: the channels go by the earlier figures until stock tells others. */
export type GuardVerdict = 'approved' | 'rejected';

/** A person's word on the levels of a location that are kept from the channels. */
export type GuardDecision = {
  /** Location. */
  readonly location: string;
  /** What was decided. */
  readonly verdict: GuardVerdict;
  /** Who. */
  readonly actor: string;
  /** Why. */
  readonly reason: string;
  /** When. */
  readonly at: number;
};

/** A level that is kept from the channels: with others it would have sold out too much of its location at once. A tombstone: it is not kept any more. */
export type HeldLevel = {
  /** SKU. */
  readonly sku: string;
  /** Location. */
  readonly location: string;
  /** Units available as stock has them. */
  readonly available: number;
  /** Units available that the channels still go by. */
  readonly shown: number;
  /** Since when. */
  readonly heldAt: number;
};

/** Which quantity of a cell. */
export type Bucket = 'onHand' | 'reserved' | 'incoming' | 'inTransit' | 'damaged' | 'qualityControl' | 'safetyStock';

/** One change within a step. */
export type Change = {
  /** The quantity that it changes. */
  readonly bucket: Bucket;
  /** event, level, count, opening, echo, hold, contained (the opening has it already, and a count from before it has not) or allocation (a channel's own share: quantity is its change, reference the channel, applied 0). */
  readonly kind: string;
  /** Units told by the source, signed; for a count the counted figure. */
  readonly quantity: number;
  /** Units by which the bucket really changed now. */
  readonly applied: number;
  /** Business time. */
  readonly occurredAt: number;
  /** Why. */
  readonly reason: string;
  /** Document. */
  readonly reference: string;
  /** Id of the effect in the movement; empty when derived. */
  readonly effectId: string;
  /** For incoming and reserved: the day on which it is expected; null: at once. */
  readonly expectedAt: null | number;
};

/** Every quantity of a cell. available = onHand - reserved - damaged - qualityControl - safetyStock, and may be negative. */
export type Quantities = {
  /** Units. */
  readonly onHand: number;
  /** Units. */
  readonly reserved: number;
  /** Units. */
  readonly incoming: number;
  /** Units. */
  readonly inTransit: number;
  /** Units. */
  readonly damaged: number;
  /** Units. */
  readonly qualityControl: number;
  /** Units. */
  readonly safetyStock: number;
  /** Units; negative means oversold. */
  readonly available: number;
};

/** The step changed what onHand had been in a past that was already told. */
export type Restatement = {
  /** onHand as it was told. */
  readonly old: number;
  /** onHand as it is now. */
  readonly new: number;
  /** Since when the told figure was wrong. */
  readonly from: number;
  /** When it was corrected. */
  readonly to: number;
};

/** One applied step on one cell, with its result. */
export type LedgerEntry = {
  /** SKU. */
  readonly sku: string;
  /** Location. */
  readonly location: string;
  /** Counts the steps of the cell from 1. */
  readonly sequence: number;
  /** What made the step. */
  readonly cause: Cause;
  /** What the step did. */
  readonly changes: readonly Change[];
  /** The cell after the step. */
  readonly quantities: Quantities;
  /** Set when a changed past moved onHand. */
  readonly restatement: null | Restatement;
};

/** in: first seen in stock, or no longer low. low: at or below the channel's threshold. out: nothing to sell. back: in stock again after it was out, low or not. */
export type LevelChangeKind = 'in' | 'low' | 'out' | 'back';

/** A SKU came to another level on a channel: low, out, or back in stock. */
export type LevelChange = {
  /** Sales channel. */
  readonly channel: string;
  /** SKU. */
  readonly sku: string;
  /** What happened. */
  readonly change: LevelChangeKind;
  /** Units that the channel may sell now. */
  readonly sellable: number;
  /** Of the channel's figure that came to the level. */
  readonly sequence: number;
  /** When its cause was committed. */
  readonly at: number;
};

/** event: dated by business time. level: the change of a current value, dated at the change. count: a physical count, an anchor. opening: the balance at the snapshot. */
export type EffectKind = 'event' | 'level' | 'count' | 'opening';

/** Who says it. */
export type EchoRole = 'till' | 'posting';

/** supersede: the posting's figure wins once complete. max: the larger magnitude wins. */
export type EchoRule = 'supersede' | 'max';

/** The same sale seen twice: by the till at once, by the ERP when it posts. */
export type Echo = {
  /** Names the sale in both systems, such as shop/till/receipt. */
  readonly key: string;
  /** till or posting. */
  readonly role: EchoRole;
  /** Which side wins. */
  readonly rule: EchoRule;
  /** Posting: its document is complete. */
  readonly complete: boolean;
  /** Posting: it is already part of the opening balance. */
  readonly contained: boolean;
  /** The posting nets returns against sales, so both are compared as one sum; false: each sign by itself. */
  readonly netted: boolean;
};

/** What a line of the ERP's order has booked by now; our own hold for that order shrinks by it. */
export type Booking = {
  /** Names the order in both systems, as a reservation's reference does. */
  readonly order: string;
  /** The line within the order. */
  readonly line: string;
  /** Units that the line has ordered, shipped ones included. */
  readonly quantity: number;
  /** Units of it that are still to be shipped. */
  readonly open: number;
};

/** One thing that a source transaction did to one SKU. */
export type Effect = {
  /** Hash of system, table, primary key, position, effect index, asserted or retracted. */
  readonly id: string;
  /** What kind. */
  readonly kind: EffectKind;
  /** False: takes an earlier effect back. */
  readonly asserted: boolean;
  /** The quantity that it changes. */
  readonly bucket: Bucket;
  /** Location. */
  readonly location: string;
  /** Signed change in units; a retraction carries the negated quantity. For a count and an opening: the absolute figure. */
  readonly quantity: number;
  /** Business time. */
  readonly occurredAt: number;
  /** Position of the row that states it; orders equal times within one system. */
  readonly order: string;
  /** sale, return, receipt, shipment, transfer, scrap, correction, count, order, ... */
  readonly reason: string;
  /** The document, such as receipt 3/2/10017. */
  readonly reference: string;
  /** Set where the same sale is also told by another system. */
  readonly echo: null | Echo;
  /** For incoming and reserved: the day on which it is expected; absent: at once. */
  readonly expectedAt: null | number;
  /** Set where the effect is a line of the ERP's order; its own quantity is then 0. */
  readonly booking: null | Booking;
};

/** All effects of one source transaction on one SKU. */
export type Movement = {
  /** Hash of system, transaction and SKU; the same on redelivery. */
  readonly id: string;
  /** SKU. */
  readonly sku: string;
  /** Source system. */
  readonly system: string;
  /** Source transaction; empty for snapshot reads. */
  readonly transaction: string;
  /** Last position of the transaction in the source's log. */
  readonly position: string;
  /** When the source committed. */
  readonly committedAt: number;
  /** In the order of the source. */
  readonly effects: readonly Effect[];
  /** Events and counts of onHand that the opening balance contains already: no change of stock, but what a count told later for the time before has to be followed by. */
  readonly contained: readonly Effect[];
};

/** What came of a line. */
export type OutcomeLine = {
  /** SKU. */
  readonly sku: string;
  /** Location. */
  readonly location: string;
  /** Units granted. */
  readonly quantity: number;
  /** Units missing. */
  readonly short: number;
  /** The cell's sequence at the decision. */
  readonly sequence: number;
  /** Why the line is short; empty when it is not. */
  readonly code: string;
  /** In words. */
  readonly reason: string;
};

/** What came of a request. */
export type Outcome = {
  /** Client. */
  readonly client: string;
  /** The client's key. */
  readonly idempotencyKey: string;
  /** Accepted or refused. */
  readonly accepted: boolean;
  /** Stable reason code; empty when accepted. */
  readonly code: string;
  /** In words. */
  readonly reason: string;
  /** Reservation made. */
  readonly reservation: null | string;
  /** Per line. */
  readonly lines: readonly OutcomeLine[];
  /** When. */
  readonly decidedAt: number;
  /** Hash of the request that this answers: two requests with one key have different ones. */
  readonly request: string;
  /** The reservation's state; empty when there is none. */
  readonly state: string;
};

/** proposed: waits for a person. approved: may be ordered. rejected: will not be. superseded: a later one stands in its place. */
export type ProposalState = 'proposed' | 'approved' | 'rejected' | 'superseded';

/** A proposal to order one SKU for one location, as it stands after this record. */
export type Proposal = {
  /** Names the proposal: SKU, location and day. */
  readonly id: string;
  /** SKU. */
  readonly sku: string;
  /** Location. */
  readonly location: string;
  /** State. */
  readonly state: ProposalState;
  /** When it was made. */
  readonly madeAt: number;
  /** Units physically there. */
  readonly onHand: number;
  /** Units that may be sold; negative means oversold. */
  readonly available: number;
  /** Units on order and on the way. */
  readonly incoming: number;
  /** Units a day expected over the lead time. */
  readonly dailyDemand: number;
  /** Mean days from the order to the shelf. */
  readonly leadTimeDays: number;
  /** Standard deviation of these days. */
  readonly leadTimeDeviationDays: number;
  /** Days between two looks at the cell. */
  readonly reviewDays: number;
  /** Wanted probability that demand until the next receipt is met. */
  readonly serviceLevel: number;
  /** The day on which stock more likely than not has run out; null when beyond the horizon. */
  readonly stockOutAt: null | number;
  /** How likely stock runs out before an order of today arrives. */
  readonly stockOutProbability: number;
  /** Order when available and incoming together are at or below this. */
  readonly reorderPoint: number;
  /** What available and incoming together shall be after the order. */
  readonly orderUpTo: number;
  /** Units to order, in whole packs. */
  readonly quantity: number;
  /** Person or policy that approved or rejected it; empty while it waits. */
  readonly decidedBy: string;
  /** Why it was made, and why it was decided so. */
  readonly reason: string;
};

/** What is asked. */
export type RequestKind = 'reserve' | 'update' | 'commit' | 'release' | 'fulfil' | 'adjust' | 'set' | 'count' | 'transfer' | 'allocate' | 'dispatch' | 'receive' | 'return';

/** What to do when not all can be had. */
export type FillPolicy = 'FillOrKill' | 'FillAll' | 'FillAllAvailable';

/** One line of a request. */
export type RequestLine = {
  /** SKU. */
  readonly sku: string;
  /** Location; absent: by preference. */
  readonly location: null | string;
  /** Units. */
  readonly quantity: number;
};

/** What a client asks of stock. */
export type Request = {
  /** Client. */
  readonly client: string;
  /** The client's key. */
  readonly idempotencyKey: string;
  /** Kind. */
  readonly kind: RequestKind;
  /** All, wait or partial. */
  readonly policy: FillPolicy;
  /** Lines. */
  readonly lines: readonly RequestLine[];
  /** The reservation it acts on. */
  readonly reservation: null | string;
  /** Sales channel. */
  readonly channel: null | string;
  /** Target of a transfer or a dispatch. */
  readonly toLocation: null | string;
  /** Refuse unless each cell is at this sequence. */
  readonly expectedSequence: null | number;
  /** Refuse unless each cell shows this figure. */
  readonly changeFromQuantity: null | number;
  /** Time to live of the reservation. */
  readonly expiresAt: null | number;
  /** Why. */
  readonly reason: string;
  /** Document. */
  readonly reference: string;
  /** Who. */
  readonly actor: string;
  /** Business time. */
  readonly occurredAt: number;
  /** Where to take lines without a location from, best first; empty: wherever the SKU is. */
  readonly locations: readonly string[];
  /** adjust: which quantity it changes. receive, return: what becomes of the goods: onHand, damaged or qualityControl. */
  readonly bucket: string;
  /** fulfil, return: names the sale or the credit as the ERP will post it. */
  readonly echoKey: null | string;
  /** Between partitions of carts: who asks a reservation's cart for its lines; null from clients. */
  readonly askedBy: null | string;
};

/** Key of inventory.stock.v1: one cell. Partitioned by the SKU alone. */
export type StockKey = {
  /** SKU. */
  readonly sku: string;
  /** Location. */
  readonly location: string;
};

/** What is expected on one day. */
export type ScheduledDay = {
  /** Days since 1970-01-01, UTC. */
  readonly day: number;
  /** Units of the incoming quantity. */
  readonly incoming: number;
  /** Units of the reserved quantity that leave on that day. */
  readonly reserved: number;
};

/** What is left of a channel's own share. */
export type Allocation = {
  /** Sales channel. */
  readonly channel: string;
  /** Units that only this channel may reserve. */
  readonly quantity: number;
};

/** A cell as it stands. */
export type StockLevel = {
  /** SKU. */
  readonly sku: string;
  /** Location. */
  readonly location: string;
  /** Every quantity. */
  readonly quantities: Quantities;
  /** Ledger steps of the cell so far. */
  readonly sequence: number;
  /** The sequence published before this one; a reader that last saw another one has missed something. */
  readonly previousSequence: number;
  /** The last step's cause. */
  readonly cause: Cause;
  /** The dated part of incoming and reserved, by day. */
  readonly schedule: readonly ScheduledDay[];
  /** Shares of channels. */
  readonly allocations: readonly Allocation[];
};

/** test: send a test event. replay: send the newest figure again for what was delivered in these ranges. */
export type SubscriptionRequestKind = 'test' | 'replay';

/** Deliveries of a subscription by their index. */
export type DeliveryRange = {
  /** First delivery of the range. */
  readonly from: number;
  /** Last delivery of the range. */
  readonly to: number;
};

/** Something to be done once for a subscription. */
export type SubscriptionRequest = {
  /** One id is done once. */
  readonly id: string;
  /** What. */
  readonly kind: SubscriptionRequestKind;
  /** What to replay. */
  readonly ranges: readonly DeliveryRange[];
};

/** Who wants webhooks about what. The newest record of an id holds; a tombstone ends it. */
export type Subscription = {
  /** Id of the subscription. */
  readonly id: string;
  /** Where webhooks go; https. */
  readonly url: string;
  /** For people. */
  readonly description: string;
  /** Only figures of these channels; empty for all. */
  readonly channels: readonly string[];
  /** Only these SKUs; empty for all. */
  readonly skus: readonly string[];
  /** Only these: stock.changed, stock.out, stock.low, stock.in; empty for all. Others are never sent. */
  readonly events: readonly string[];
  /** False: nothing is sent; what changes meanwhile is sent, newest only, once it is true again. */
  readonly active: boolean;
  /** Why it is not active, such as an answer 410. */
  readonly inactiveReason: string;
  /** Signing secrets, each encrypted with the installation's key; all of them sign, so that one can be replaced. Never in the clear. */
  readonly sealedSecrets: readonly string[];
  /** The last thing that was asked for. */
  readonly request: null | SubscriptionRequest;
  /** When this record was made. */
  readonly changedAt: number;
};

/** What a shop or another system has told us, as it came, its signature checked. */
export type Webhook = {
  /** Who told it, as the installation names its sources. */
  readonly source: string;
  /** The sender's id of it; the same when it is sent again. */
  readonly deliveryId: string;
  /** What happened, where a header says so; else empty. */
  readonly event: string;
  /** When it came. */
  readonly receivedAt: number;
  /** The body, byte by byte. */
  readonly body: Uint8Array;
};
