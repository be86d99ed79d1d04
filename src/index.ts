export { createCache } from './create-cache.ts'
export type { Cache } from './core/cache.ts'
export type { CacheStatus } from './core/cache-status.ts'
export type { CachedEntry } from './core/calls/cached-entry.ts'
export { BatchError, isLeaseholdError, LeaseholdError, ReplicationError, StoreError } from './core/errors.ts'
export type { ErrorCode, ErrorDetails, StoreErrorCode } from './core/errors.ts'
export type { CacheEventListener, DiagnosticsMessage } from './core/event-emitter.ts'
export type * from './core/events.ts'
export type { HitCounts, HitSampler } from './core/hit-counts.ts'
export type { Operation, OperationOutcome, TracedLoad, TracedOperation, Tracer } from './core/tracer.ts'
export { defineKey, isCanonicalKey, KEY_PATTERN } from './core/keys/key-builder.ts'
export type { DefineKeyOptions, KeyBuilder, KeyParams, NoParams } from './core/keys/key-builder.ts'
export type { LoadedMany, LoadMany, LoadManyContext } from './core/flights/load-batch.ts'
export type { ResourceCallOptions, ResourceDefinition, ResourceSetOptions } from './core/resources/definition.ts'
export type { Resource } from './core/resources/resource.ts'
export type { SchemaIssue, SchemaResult, StandardSchema } from './core/resources/standard-schema.ts'
export type { WarmOptions, WarmReport } from './core/resources/warm-options.ts'
export type { Loader, LoaderContext, StaleValue } from './core/flights/loader-context.ts'
export type { WriteOutcome } from './core/outage/defer.ts'
export type { DeleteOptions, ReplicaOptions } from './core/calls/replica-options.ts'
export { memoryStore } from './memory/memory-store.ts'
export type { MemoryStoreOptions } from './memory/memory-store.ts'
export type {
  CacheOptions,
  CallOptions,
  Compression,
  Duration,
  KeyOptions,
  PolicyOptions,
  RefreshOptions,
  Serializer,
  SetOptions,
  TimeoutOptions,
} from './core/options/options.ts'
export type {
  AcquireReply,
  AcquireRequest,
  Clock,
  CommitReply,
  CommitRequest,
  Confirmation,
  ConfirmRequest,
  Deadline,
  EntryKey,
  KeyRequest,
  Marker,
  PutReply,
  PutRequest,
  Random,
  ReleaseRequest,
  RenewRequest,
  StampRequest,
  Store,
  StoreContext,
  StoredBytes,
  StoreListeners,
  StoreProvider,
  NewestTagRequest,
  TagsRequest,
  Timer,
  Token,
  WakeListener,
} from './core/ports.ts'
