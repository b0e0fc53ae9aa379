/*
 * efl.h: the C ABI of the communicator kernel, the only door into libefl.so.
 *
 * Rules
 *
 *  1. Handles are opaque. What efl_X_create or efl_X_find returns is given back with efl_X_free or
 *     efl_X_release, once; NULL is accepted there and ignored.
 *  2. A function that can fail at once takes an efl_status last and overwrites it. A NULL status is
 *     allowed: the outcome is then not reported. A function that fails returns NULL or does
 *     nothing.
 *  3. A function that takes an efl_call is asynchronous. It never blocks, never fails at once, and
 *     ends by calling call->done exactly once, on success and on failure alike, also when the peer
 *     or the node is closed.
 *  4. `done` may run before the function that started the operation returns, on the calling thread;
 *     otherwise it runs on a kernel thread (server, client or monitor). It may start further
 *     operations and may close. It must not block: while it does, messages of the peer wait.
 *  5. What a callback receives (status, result, tensor) lives until that callback returns. Strings
 *     are UTF-8, NUL-terminated unless a length is given with them.
 *  6. What the caller passes is copied before the function returns, except tensor data: they are
 *     read in place until `release` is called, which happens exactly once, before or after `done`,
 *     on any thread; it must not call the kernel.
 *  7. Memory returned by `allocate` belongs to the kernel until `done`. Nothing is written to it
 *     afterwards.
 *  8. Every function may be called from any thread. A handle must not be used after it was given
 *     back.
 *  9. efl_node_close refuses new operations, ends the pending ones with EFL_CANCELLED, tells the
 *     peers, stops and joins the threads. It is idempotent and takes less than five seconds
 *     whatever the state of the peers. Called from a callback, of this node or of another one, it
 *     starts the same work and returns without waiting for the end of it.
 * 10. A structure given by pointer is versioned by adding functions, not fields. An option that is
 *     unknown is an error.
 */
#ifndef EFL_EFL_H_
#define EFL_EFL_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define EFL_EXPORT __attribute__((visibility("default")))
#else
#define EFL_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ---------------------------------------------------------------------------------- */

/* Canonical codes, with the numbers of gRPC and of tensorflow.error.Code. */
typedef enum efl_code {
  EFL_OK = 0,
  EFL_CANCELLED = 1,
  EFL_UNKNOWN = 2,
  EFL_INVALID_ARGUMENT = 3,
  EFL_DEADLINE_EXCEEDED = 4,
  EFL_NOT_FOUND = 5,
  EFL_ALREADY_EXISTS = 6,
  EFL_PERMISSION_DENIED = 7,
  EFL_RESOURCE_EXHAUSTED = 8,
  EFL_FAILED_PRECONDITION = 9,
  EFL_ABORTED = 10,
  EFL_OUT_OF_RANGE = 11,
  EFL_UNIMPLEMENTED = 12,
  EFL_INTERNAL = 13,
  EFL_UNAVAILABLE = 14,
  EFL_DATA_LOSS = 15,
  EFL_UNAUTHENTICATED = 16
} efl_code;

/*
 * What a code means of an operation:
 *   EFL_CANCELLED            this party has closed
 *   EFL_UNAVAILABLE          the peer has left, or can't be reached
 *   EFL_ABORTED              the peer has restarted, or another operation of the group has failed
 *   EFL_DEADLINE_EXCEEDED    overdue here, or at the peer
 *   EFL_FAILED_PRECONDITION  not connected yet, connected already, closed already, or a wrong pair
 *   EFL_INVALID_ARGUMENT     this call can't be meant, or dtype or shape aren't as registered
 *   EFL_NOT_FOUND            the peer has not registered this name
 *   EFL_ALREADY_EXISTS       the same is waiting already
 *   EFL_PERMISSION_DENIED    the egress policy of this party, or of the peer, doesn't let it out
 *   EFL_RESOURCE_EXHAUSTED   over a limit of size or memory
 *   EFL_UNIMPLEMENTED        something answers at the peer's address that isn't a communicator
 *   EFL_INTERNAL             the peer breaks the protocol, or something on this machine is broken
 *   EFL_DATA_LOSS            the parties are out of step
 *   EFL_UNKNOWN              the peer's tensor can't be decoded
 *   EFL_OUT_OF_RANGE         the leader has ended the data
 *   EFL_UNAUTHENTICATED      TLS: certificates don't fit or aren't let in, or one party speaks it
 *                            alone
 */
typedef struct efl_status efl_status;

EFL_EXPORT efl_status* efl_status_create(void);
EFL_EXPORT void efl_status_free(efl_status* status);
EFL_EXPORT int32_t efl_status_code(const efl_status* status);
/* The reason alone, without the operation, name, step and peer below. */
EFL_EXPORT const char* efl_status_message(const efl_status* status);
/* The operation that failed ("send tensor", "connect", …), "" when the status belongs to none. */
EFL_EXPORT const char* efl_status_operation(const efl_status* status);
/* The tensor or dataset, "" when there is none. */
EFL_EXPORT const char* efl_status_name(const efl_status* status);
/* The step, -1 when there is none. */
EFL_EXPORT int64_t efl_status_step(const efl_status* status);
/* The peer's address, "" when there is none. */
EFL_EXPORT const char* efl_status_peer(const efl_status* status);
/* All of it in one line: "DATA_LOSS: receive tensor 'fc1' step 3, peer bob:50052: <message>". */
EFL_EXPORT const char* efl_status_text(const efl_status* status);

/* ---- Options --------------------------------------------------------------------------------- */

/*
 * One set of options configures a node and a peer. Each is set by its key; values are text, sizes
 * in bytes, times in milliseconds. A value is checked when it is set, the whole when a node or a
 * peer is created from it.
 *
 *   the node                         default
 *   listen_address                   ""       host:port, port 0: any free one; empty: this party
 *                                             only dials, by peer_address
 *   party_id                         ""       how this party calls itself to its peers; under
 *                                             mutual TLS its certificate carries it, unless they
 *                                             set ssl_peer_name
 *   server_thread_num                1        threads that take the peers' requests
 *   scanning_interval_ms             30000    longest pause between two scans of the Monitor
 *   server_max_send_message_size     1 GiB    of the answers sent
 *   server_max_receive_message_size  1 GiB    of the requests taken
 *   max_streams                      4096     calls under way at once on one connection; more wait
 *                                             at their caller
 *   server_memory_bytes              3 GiB    of gRPC's buffers, of what has arrived and is not yet
 *                                             taken in; beyond it connections are slowed down, then
 *                                             cut. Default: mailbox_bytes and twice
 *                                             server_max_receive_message_size. 0: no limit
 *   my_certs_file, my_key_file       ""       PEM files of this party, both or none; both: the
 *                                             server speaks TLS
 *   peer_certs_file                  ""       PEM file to verify the other side with; set: the
 *                                             client speaks TLS
 *   ssl_client_auth                  ""       require | request | none: what a TLS server asks of
 *                                             its clients; empty: a server that speaks TLS and has
 *                                             peer_certs_file requires, otherwise none
 *   egress_policy                    ""       file that says what may leave (docs/governance.md);
 *                                             read when the node is created. Empty: everything
 *   audit_log                        ""       file that a line is added to for all that leaves and
 *                                             arrives, without its content; of this node alone
 *   ssl_peer_name                    ""       names, comma-separated, one of which the peer's
 *                                             certificate has to carry as common name, DNS name or
 *                                             URI; empty: the peer's party id, where both present
 *                                             certificates and it has one
 *   ssl_allowed_fingerprints_file    ""       a file of SHA-256 fingerprints, one a line: of the
 *                                             certificates that peer_certs_file vouches for only
 *                                             these are let in; empty: all
 *   ssl_min_version                  1.2      1.2 | 1.3: of TLS; 1.3 holds for the whole process
 *                                             while a node or peer that demands it is there
 *   plaintext                        loopback loopback | allow | never: which addresses may be
 *                                             listened at and dialled without TLS
 *
 *   The files of TLS are read again when they change: new connections take what they hold then,
 *   running ones go on, except those of a certificate that is taken off the list. What can't be
 *   used, such as a certificate without its key, is logged, and the last that could stays in use.
 *
 *   the peer                         default
 *   name                             ""       finds the peer with efl_peer_find, unique in the
 *                                             process; empty: it can't be found
 *   role                             leader   leader: waits for the follower; follower: opens the
 *                                             connection
 *   peer_address                     ""       host:port; empty: this party only listens, at
 *                                             listen_address. One party of the pair has to be
 *                                             reached, over the trainer wire both
 *   job_id                           ""       what the two train together: another one at the peer
 *                                             is a wrong pair
 *   worker_index, worker_count       0        which pair of how many this is, alike at both
 *                                             parties; count 0: not said
 *   client_thread_num                1        threads that take the peer's answers
 *   default_timeout_ms               600000   of an operation that brings none of its own
 *   reconnect_timeout_ms             20000    after a broken connection, until what waits for the
 *                                             peer ends with EFL_UNAVAILABLE
 *   keepalive_interval_ms            400      either party says something at least this often; the
 *                                             lesser of both parties' holds; 0: it need not
 *   keepalive_timeout_ms             6000     when nothing was heard for so much longer, at most,
 *                                             the connection counts as broken; the link begins with
 *                                             500 and waits longer where the line is slow
 *   max_pending                      1048576  operations at once; one more is
 *                                             EFL_RESOURCE_EXHAUSTED
 *   max_tensor_bytes                 16 GiB   of a tensor that the peer announces; a larger one is
 *                                             EFL_RESOURCE_EXHAUSTED at both parties
 *   client_max_send_message_size     1 GiB    of the requests sent
 *   client_max_receive_message_size  1 GiB    of the answers taken
 *   ssl_target_name_override         ""       name to expect in the peer's certificate, and the
 *                                             authority to send
 *   mailbox_bytes                    1 GiB    arrived and not yet asked for; more is held back at
 *                                             the sender, over the trainer wire refused
 *   wire                             auto     auto | link | trainer: what carries the tensors;
 *                                             auto: link where both speak it, otherwise trainer
 *   send_completion                  accepted accepted | consumed: a send ends when the peer holds
 *                                             all of the tensor, or when one of its receives has
 *                                             taken it. The trainer wire knows consumed alone
 *   encodings                        ""       how tensors are written on the link wire, by name:
 *                                             "fc*=bfloat16,*=zstd". The first pattern that fits
 *                                             decides (* ? [a-z]); none: as they are. zstd: without
 *                                             loss. bfloat16: floats cut to 16 bits; of other types
 *                                             as they are
 *   window_bytes                     256 MiB  on the way and not yet credited, in each direction;
 *                                             1 MiB or more
 *   chunk_bytes                      1 MiB    the longest piece of a tensor in one message; 1 KiB
 *                                             to 1 MiB
 *   connections                      0        of the link, up to 64; 0: one, and four on a line
 *                                             with a round trip of 5 ms or more. Of window, chunk
 *                                             and connections the lesser of both parties holds
 */
typedef struct efl_options efl_options;

EFL_EXPORT efl_options* efl_options_create(void);
EFL_EXPORT void efl_options_free(efl_options* options);
EFL_EXPORT void efl_options_set(efl_options* options, const char* key, const char* value,
                                efl_status* status);
/*
 * Takes over what the environment sets: EFL_MY_CERTS_FILENAME, EFL_MY_KEY_FILENAME,
 * EFL_PEER_CERTS_FILENAME, EFL_SSL_TARGET_NAME_OVERRIDE, EFL_SSL_CLIENT_AUTH, EFL_SSL_PEER_NAME,
 * EFL_SSL_ALLOWED_FINGERPRINTS_FILENAME, EFL_SSL_MIN_VERSION, EFL_PLAINTEXT,
 * EFL_CLIENT_MAX_SEND_MESSAGE_SIZE, EFL_CLIENT_MAX_RECEIVE_MESSAGE_SIZE,
 * EFL_SERVER_MAX_SEND_MESSAGE_SIZE, EFL_SERVER_MAX_RECEIVE_MESSAGE_SIZE, EFL_WIRE,
 * EFL_SEND_COMPLETION, EFL_ENCODINGS, EFL_WINDOW_BYTES, EFL_CHUNK_BYTES, EFL_CONNECTIONS,
 * EFL_RECONNECT_TIMEOUT_MS, EFL_KEEPALIVE_INTERVAL_MS, EFL_KEEPALIVE_TIMEOUT_MS, EFL_MAX_PENDING,
 * EFL_MAX_TENSOR_BYTES, EFL_MAX_STREAMS, EFL_SERVER_MEMORY_BYTES, EFL_MAILBOX_BYTES,
 * EFL_EGRESS_POLICY, EFL_AUDIT_LOG. A variable that is set and empty counts as not set. One that is
 * wrong is EFL_INVALID_ARGUMENT, EFL_BUFFER_POOL_BYTES too, which is the process's.
 */
EFL_EXPORT void efl_options_set_from_environment(efl_options* options, efl_status* status);

/* ---- Node and peer --------------------------------------------------------------------------- */

/* One listening server, one Monitor, and its peer: the trainer wire doesn't say who calls, so a
 * node that speaks it has one. */
typedef struct efl_node efl_node;
/* The other party of a pair: its client, its mailbox, its step counter. */
typedef struct efl_peer efl_peer;

/* Listens before it returns, where it has an address for that; a port in use or an unreadable
 * certificate is reported here. */
EFL_EXPORT efl_node* efl_node_create(const efl_options* options, efl_status* status);
/* The port it listens on, 0 when it only dials. */
EFL_EXPORT int32_t efl_node_port(const efl_node* node);
EFL_EXPORT void efl_node_close(efl_node* node);
/* Closes and gives back. Peers found elsewhere stay valid handles; their operations fail with
 * EFL_FAILED_PRECONDITION. */
EFL_EXPORT void efl_node_free(efl_node* node);

/* The returned handle is the caller's, to be given back with efl_peer_release. */
EFL_EXPORT efl_peer* efl_node_add_peer(efl_node* node, const efl_options* options,
                                       efl_status* status);
/* The peer added under this name in this process, closed or not, NULL and EFL_NOT_FOUND when there
 * is none. A name is free again once its peer is closed. */
EFL_EXPORT efl_peer* efl_peer_find(const char* name, efl_status* status);
EFL_EXPORT void efl_peer_release(efl_peer* peer);

/* As efl_node_close of the node that the peer belongs to. */
EFL_EXPORT void efl_peer_close(efl_peer* peer);

/* 1 when the connected peer is an existing EFLS party, which speaks the trainer wire alone. */
EFL_EXPORT int32_t efl_peer_is_efls(const efl_peer* peer);

/* What carries the tensors, as of the latest connection: "link" or "trainer"; "" before the first.
 * The text outlives everything. */
EFL_EXPORT const char* efl_peer_wire(const efl_peer* peer);

typedef enum efl_peer_state {
  EFL_PEER_IDLE = 0,       /* not connected: connect not called, or failed, or the link was lost */
  EFL_PEER_CONNECTING = 1, /* connect is pending */
  EFL_PEER_READY = 2,      /* connected */
  EFL_PEER_RECONNECTING = 3, /* the connection broke, and what is pending waits for the next one */
  EFL_PEER_CLOSED = 4        /* for good */
} efl_peer_state;

/*
 * since_ms: when the peer came into this state, in milliseconds of Unix time. cause: why it isn't
 * connected; EFL_OK where there is nothing to say. Called under the rules of `done`, for each
 * change once and in order, by one thread at a time; of changes that it hasn't heard yet, 1024 are
 * kept, the latest.
 */
typedef void (*efl_state_fn)(void* token, int32_t state, int64_t since_ms, const efl_status* cause);
/*
 * The listener hears of the present state at once, then of each change; of EFL_PEER_CLOSED last.
 * Nothing is called any more when efl_node_close has returned to a caller outside of callbacks.
 * Returns what efl_peer_remove_state_listener takes.
 */
EFL_EXPORT uint64_t efl_peer_add_state_listener(efl_peer* peer, efl_state_fn listener, void* token);
/* It is not called any more when this returns; when it removes itself, after it has returned. */
EFL_EXPORT void efl_peer_remove_state_listener(efl_peer* peer, uint64_t listener);

/* What a peer has done since it was made, and how it stands. */
typedef struct efl_peer_stats {
  int32_t state;
  int64_t since_ms;
  int64_t tensors_sent; /* that the peer holds, or has consumed: see send_completion */
  int64_t tensors_received;
  int64_t bytes_sent; /* of their content */
  int64_t bytes_received;
  int64_t pending;         /* operations */
  int64_t in_flight_bytes; /* over the link: sent and not yet credited */
  int64_t parked_tensors;  /* arrived, or announced, and not asked for */
  int64_t parked_bytes;
  int64_t reconnects;          /* connections made again after one broke */
  int64_t retransmitted_bytes; /* sent again because a connection broke */
  int64_t checksum_failures;   /* messages and chunks that were damaged on the way */
  int64_t round_trip_us;       /* the latest one measured; -1: none yet */
} efl_peer_stats;

EFL_EXPORT void efl_peer_read_stats(const efl_peer* peer, efl_peer_stats* stats);

/* Operations pending, for tests and metrics. */
EFL_EXPORT int64_t efl_peer_pending(const efl_peer* peer);

/* The training step: 0 at first. Tensor operations carry the step that their caller names; these
 * only keep it. */
EFL_EXPORT int64_t efl_peer_step(const efl_peer* peer);
EFL_EXPORT int64_t efl_peer_add_step(efl_peer* peer);
EFL_EXPORT void efl_peer_reset_step(efl_peer* peer);

/*
 * Names what will be received. A tensor whose name was never registered is refused with
 * EFL_NOT_FOUND. dtype: a TensorFlow DataType number; rank -1: any shape; a dimension of -1: any
 * size. What arrives with another dtype or a shape that cannot be meant fails at both ends. A name
 * that is registered with another dtype or shape is EFL_ALREADY_EXISTS; the same once more is fine.
 */
EFL_EXPORT void efl_peer_register_tensor(efl_peer* peer, const char* name, int32_t dtype,
                                         int32_t rank, const int64_t* dims, efl_status* status);
/* Names a dataset whose reader state will be sent or asked for. */
EFL_EXPORT void efl_peer_register_dataset(efl_peer* peer, const char* name, efl_status* status);

/* ---- Operations ------------------------------------------------------------------------------ */

/* What an operation brought, beside a tensor. Unused fields are empty or 0. */
typedef struct efl_result {
  const char* text; /* checkpoint version, or the block id of a reader state; NUL-terminated */
  size_t text_size;
  int64_t index; /* sample index of a reader state */
} efl_result;

typedef void (*efl_done_fn)(void* token, const efl_status* status, const efl_result* result);

typedef struct efl_call {
  uint64_t group;     /* one that fails takes the others of its group with it; 0: no group */
  int64_t timeout_ms; /* from now; negative: the peer's default_timeout_ms */
  efl_done_fn done;
  void* token;
} efl_call;

/*
 * Leader: waits until the follower has connected. Follower: connects, and tries again while the
 * leader isn't there. Until this has succeeded every other operation is EFL_FAILED_PRECONDITION.
 */
EFL_EXPORT void efl_peer_connect(efl_peer* peer, const efl_call* call);

typedef struct efl_tensor {
  const char* name;
  int64_t step;
  int32_t dtype;
  int32_t rank; /* 0: a scalar */
  const int64_t* dims;
  /* Row-major, in host order. Strings: the length of each as a varint, then the bytes of all; the
   * kernel checks that they fit, on the way out and on the way in. */
  const void* data;
  size_t size;
  void (*release)(void* token); /* NULL: the data outlive the operation */
  void* release_token;
} efl_tensor;

/* Ends when the peer holds the tensor, or has consumed it: see send_completion. */
EFL_EXPORT void efl_peer_send_tensor(efl_peer* peer, const efl_tensor* tensor,
                                     const efl_call* call);

/*
 * Says where the elements go: at least tensor->size bytes, aligned for the dtype. tensor->data is
 * NULL here. NULL, unless the tensor is empty, ends the receive with EFL_RESOURCE_EXHAUSTED. Called
 * at most once, before `done`, under the rules of `done`.
 */
typedef void* (*efl_allocate_fn)(void* token, const efl_tensor* tensor);

/* `allocate` and `done` get the token of the call. */
EFL_EXPORT void efl_peer_receive_tensor(efl_peer* peer, const char* name, int64_t step,
                                        efl_allocate_fn allocate, const efl_call* call);

/* Answers the peer's next request for the state of this dataset; ends when the answer was taken. */
EFL_EXPORT void efl_peer_send_reader_state(efl_peer* peer, const char* dataset,
                                           const char* block_id, int64_t sample_index,
                                           const efl_call* call);
/* Asks for it: result->text and result->index, or EFL_OUT_OF_RANGE when the peer has terminated
 * the reader. */
EFL_EXPORT void efl_peer_receive_reader_state(efl_peer* peer, const char* dataset,
                                              const efl_call* call);
/* Answers the peer's next request with EFL_OUT_OF_RANGE: the data have ended. Itself it ends
 * with EFL_OK. */
EFL_EXPORT void efl_peer_terminate_reader(efl_peer* peer, const char* dataset,
                                          const efl_call* call);

/* Answers the peer's request for the checkpoint version; "" means that there is none. */
EFL_EXPORT void efl_peer_send_checkpoint_version(efl_peer* peer, const char* version,
                                                 const efl_call* call);
EFL_EXPORT void efl_peer_receive_checkpoint_version(efl_peer* peer, const efl_call* call);

/*
 * Ends the pending operations of a group with EFL_ABORTED and this reason, as the failure of one of
 * them would; operations of the group that start later fail too. Of a send that ends so, the peer
 * learns the reason.
 */
EFL_EXPORT void efl_peer_fail_group(efl_peer* peer, uint64_t group, const char* reason);

/* ---- Memory ---------------------------------------------------------------------------------- */

/*
 * Memory for the content of large tensors, reused when it is given back, up to
 * EFL_BUFFER_POOL_BYTES (environment; default 256 MiB) that nobody uses: fresh memory costs as much
 * as the transfer into it. Aligned to a page; what is in it is left over from earlier use. NULL:
 * there is none.
 */
EFL_EXPORT void* efl_buffer_allocate(size_t size);
/* What efl_buffer_allocate has returned; NULL is ignored. */
EFL_EXPORT void efl_buffer_free(void* buffer);

/* ---- The library ----------------------------------------------------------------------------- */

typedef enum efl_log_level {
  EFL_LOG_DEBUG = 0,
  EFL_LOG_INFO = 1,
  EFL_LOG_WARNING = 2,
  EFL_LOG_ERROR = 3
} efl_log_level;
typedef void (*efl_log_fn)(void* token, int32_t level, const char* message);
/* Where log lines go, from now on; NULL: standard error. Tensor contents are never logged. */
EFL_EXPORT void efl_log_set(efl_log_fn log, void* token, int32_t min_level);

EFL_EXPORT const char* efl_version(void);

#ifdef __cplusplus
}
#endif

#endif /* EFL_EFL_H_ */
