/**
 * What the HTTP API says of costs, preflight and plans, as JSON. Amounts of money are decimal numbers as text unless a
 * comment says otherwise; times ISO 8601.
 *
 * @module
 */

export interface Spending {
  /** Exact. */
  amount: string;
  /** Rounded like the total: those of a table add up to it. */
  cost: string;
  /** Exact, parts of `amount`. */
  effective: string;
  lost: string;
  packing: string;
  idle: string;
}

export interface CostOfCurrency {
  currency: string;
  total: string;
  /** `effective`, and what was lost: `failed`, `host-lost`, `superseded`, `cancelled`, `packing`, `idle`. They add up. */
  ways: Readonly<Record<string, string>>;
  /** Without `step`: of no step alone. */
  steps: readonly (Spending & { step?: string; seconds: number; lostBy: Readonly<Record<string, string>> })[];
  resources: readonly (Spending & {
    component: string;
    resource: string;
    resourceType: string;
    market?: string;
    region: string;
    zone?: string;
    hours?: number;
    skus: readonly string[];
    pricesAt: readonly [string, string];
    marks: readonly string[];
  })[];
}

/** As `longhaul cost show --json`. */
export interface CostView {
  launchId: string;
  status: string;
  costStatus?: 'PENDING' | 'FINAL';
  consumer?: string;
  attempts: number;
  /** `total_cost` and its parts: rounded, all of one currency. */
  cost: Readonly<Record<string, string>>;
  currency?: string;
  /** Seconds in each status, of all attempts. */
  durations: Readonly<Record<string, number>>;
  /** How many there are in the ledger. */
  lines: number;
  currencies: readonly CostOfCurrency[];
  spotSavings: readonly {
    type: string;
    region: string;
    currency: string;
    spot: string;
    onDemand: string;
    saved: string;
  }[];
  unpriced: readonly { resource: string; component: string; reason: string; remedy: string }[];
  /** By the bill, once there is one. */
  actual?: { cost: string; difference?: string; byService: readonly { service: string; amount: string }[] };
}

/** As `longhaul cost show story/<family>/<night> --json`. In USD where no other currency is named. */
export interface StoryCostView {
  storyId: string;
  workflowId: string;
  consumer: string;
  status: string;
  createdAt: string;
  endedAt?: string;
  attempts: number;
  currency: 'USD';
  /** Rounded; the components add up to it. */
  total: string;
  components: Readonly<Record<'text' | 'image' | 'audio', string>>;
  /** Exact, part of the total: of stages that were made again. */
  lost: string;
  stages: readonly {
    /** `text-1`, `image-1`, `audio`, … */
    stage: string;
    service: string;
    model: string;
    at: string;
    lost: boolean;
    /** Tokens, pictures, characters: counts, as the service has told. */
    usage: Readonly<Record<string, number>>;
    /** Exact. */
    amount: string;
    lines: readonly {
      resourceType: string;
      quantity: string;
      unit: string;
      unitPrice: string;
      currency: string;
      amount: string;
      pricesAt: string;
      source: string;
      sku?: string;
      marks: readonly string[];
    }[];
  }[];
  unpriced: readonly string[];
  /** What stories of its month have cost and may still cost, and what they may. */
  month: { month: string; committed: string; limit?: string };
}

export const COST_GROUPINGS = ['consumer', 'type', 'day', 'week', 'month', 'compute'] as const;
export type CostGrouping = (typeof COST_GROUPINGS)[number];

export interface Amounts {
  total: string;
  components: Readonly<Record<string, string>>;
  lost: string;
  idle: string;
  packing: string;
}

export interface CostReportRow extends Amounts {
  currency: string;
  launches: number;
  /** Unrounded. */
  exact: Amounts;
}

/** As `longhaul cost report --json`. */
export interface CostReport {
  by: CostGrouping;
  /** `2026-11-01`, UTC; both included. */
  from: string;
  to: string;
  /** Where one was asked for. */
  consumer?: string;
  rows: readonly (CostReportRow & { group: string })[];
  totals: readonly CostReportRow[];
}

/** In eight of ten launches the truth should lie from `p10` to `p90`. Seconds or money, as numbers. */
export interface Band {
  expected: number;
  p10: number;
  p90: number;
}

/** As `longhaul cost estimate --json`. */
export interface CostEstimate {
  estimate: {
    steps: readonly {
      step: string;
      items: number;
      cached: number;
      seconds?: Band;
      launches: readonly string[];
      extrapolated?: true;
      missing?: string;
    }[];
    seconds: Band;
    wallSeconds: Band;
    incomplete: boolean;
    launches: readonly string[];
  };
  /** The cheapest first. */
  offers: readonly {
    family: string;
    market: string;
    known: boolean;
    seconds: Band;
    wallSeconds: Band;
    money?: Band & { currency: string };
    steps: readonly { step: string; type: string; seconds: Band; money: Band }[];
    unpriced: readonly { step: string; reason: string }[];
  }[];
  overhead: { factor: number; launches: number };
  parallelVcpus: number;
  missingInputs: number;
}

/** As `longhaul cost compare --json`. */
export interface CostComparison {
  launches: readonly {
    launchId: string;
    status: string;
    computeService: string;
    workflowType: string;
    currency: string;
    total: string;
    components: Readonly<Record<string, string>>;
    durations: Readonly<Record<string, number>>;
    elapsedSeconds: number;
    runningSeconds: number;
    items: number;
    perItem?: string;
    steps: readonly { step: string; seconds: number; items: number; cost: string; perItem?: string }[];
    /** What jobs have reported of themselves: a number, or a distribution. */
    metrics: readonly {
      step: string;
      name: string;
      items: number;
      mean?: number;
      min?: number;
      max?: number;
      sums?: Readonly<Record<string, number>>;
    }[];
  }[];
  verdict: { fastest?: string; cheapest?: string; paretoOptimal: readonly string[] };
  notes: readonly string[];
}

export interface PreflightFinding {
  /** `error`: the launch would fail or never start. `warning`: it may, or that could not be found out. */
  level: 'error' | 'warning';
  /** `image`, `role`, `queue`, `resources`, `limits`, `inputs` */
  check: string;
  /** Place in the sheet or setting: `steps.align.image`, `batchQueue`. */
  at: string;
  /** Of the sheet, from 1. */
  line?: number;
  message: string;
  remedy: string;
}

export interface PreflightAnswer {
  /** No error; there may be warnings. */
  ok: boolean;
  findings: readonly PreflightFinding[];
}

interface Amount {
  objects: number;
  bytes: number;
}

/** As `longhaul restore plan --json`. */
export interface RestorePlanned {
  /** By archive, then `archived`, `restoring` or `readable`. */
  totals: Readonly<Record<string, Readonly<Record<string, Amount>>>>;
  readable: Amount;
  missing: { count: number; first: readonly { address: string; code: string; reason: string }[] };
  quote: {
    days: number;
    archives: readonly (Amount & {
      archive: string;
      tiers: readonly {
        tier: string;
        /** USD, as numbers. */
        cost?: { requests: number; bytes: number; copies: number; total: number };
        seconds: number;
      }[];
    })[];
    pricesAt?: string;
    unpriced?: string;
  };
  plan?: {
    days: number;
    tiers: Readonly<Record<string, string>>;
    objects: number;
    bytes: number;
    usd?: number;
    seconds: number;
    soonestSeconds: number;
  };
  needsApproval?: boolean;
  /** Why nothing meets the wishes. */
  problem?: string;
}
