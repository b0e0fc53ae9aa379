/* The C ABI from C: two parties in one process exchange what the header says they can. */
#include "efl/efl.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                  \
    }                                                                           \
  } while (0)

/* The end of one operation, and what a receive brought. */
typedef struct ending {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int times;
  int32_t code;
  char text[512];
  char result[64];
  int64_t index;
  float values[8];
  int32_t rank;
} ending;

static ending* ending_new(void) {
  ending* made = calloc(1, sizeof(ending));
  CHECK(made != NULL);
  pthread_mutex_init(&made->mutex, NULL);
  pthread_cond_init(&made->changed, NULL);
  return made;
}

static void on_done(void* token, const efl_status* status, const efl_result* result) {
  ending* at = token;
  pthread_mutex_lock(&at->mutex);
  at->times++;
  at->code = efl_status_code(status);
  snprintf(at->text, sizeof(at->text), "%s", efl_status_text(status));
  snprintf(at->result, sizeof(at->result), "%.*s", (int)result->text_size, result->text);
  at->index = result->index;
  pthread_cond_signal(&at->changed);
  pthread_mutex_unlock(&at->mutex);
}

static void* on_allocate(void* token, const efl_tensor* tensor) {
  ending* at = token;
  at->rank = tensor->rank;
  return tensor->size <= sizeof(at->values) ? at->values : NULL;
}

static void ending_wait(ending* at) {
  pthread_mutex_lock(&at->mutex);
  while (at->times == 0) pthread_cond_wait(&at->changed, &at->mutex);
  CHECK(at->times == 1);
  pthread_mutex_unlock(&at->mutex);
}

/* Waits, and takes the ending away. */
static void expect(ending* at, int32_t code, const char* text) {
  ending_wait(at);
  if (at->code != code || strstr(at->text, text) == NULL) {
    fprintf(stderr, "expected %d with '%s', got %d: %s\n", (int)code, text, (int)at->code,
            at->text);
    exit(1);
  }
  free(at);
}

static efl_call call_of(ending* at) {
  efl_call call = {0, -1, on_done, at};
  return call;
}

static void set(efl_options* options, const char* key, const char* value) {
  efl_status* status = efl_status_create();
  efl_options_set(options, key, value, status);
  CHECK(efl_status_code(status) == EFL_OK);
  efl_status_free(status);
}

typedef struct party {
  efl_options* options;
  efl_node* node;
  efl_peer* peer;
} party;

static void party_open(party* at, const char* role, const char* name) {
  efl_status* status = efl_status_create();
  at->options = efl_options_create();
  set(at->options, "listen_address", "127.0.0.1:0");
  set(at->options, "role", role);
  set(at->options, "name", name);
  at->node = efl_node_create(at->options, status);
  CHECK(at->node != NULL);
  CHECK(efl_node_port(at->node) > 0);
  efl_status_free(status);
}

static void party_meet(party* at, const party* other) {
  char address[64];
  efl_status* status = efl_status_create();
  snprintf(address, sizeof(address), "127.0.0.1:%d", (int)efl_node_port(other->node));
  set(at->options, "peer_address", address);
  at->peer = efl_node_add_peer(at->node, at->options, status);
  CHECK(at->peer != NULL);
  efl_peer_register_tensor(at->peer, "x", 1, -1, NULL, status);
  CHECK(efl_status_code(status) == EFL_OK);
  efl_peer_register_dataset(at->peer, "train", status);
  CHECK(efl_status_code(status) == EFL_OK);
  efl_status_free(status);
}

static void party_free(party* at) {
  efl_peer_release(at->peer);
  efl_node_free(at->node);
  efl_options_free(at->options);
}

static void test_status(void) {
  efl_status* status = efl_status_create();
  efl_options* options = efl_options_create();
  CHECK(efl_status_code(status) == EFL_OK);
  CHECK(strcmp(efl_status_text(status), "OK") == 0);
  efl_options_set(options, "no_such_key", "1", status);
  CHECK(efl_status_code(status) == EFL_INVALID_ARGUMENT);
  CHECK(strstr(efl_status_message(status), "no_such_key") != NULL);
  CHECK(strcmp(efl_status_operation(status), "") == 0);
  CHECK(efl_status_step(status) == -1);
  set(options, "listen_address", "nowhere");
  CHECK(efl_node_create(options, status) == NULL);
  CHECK(strstr(efl_status_text(status), "listen_address='nowhere'") != NULL);
  CHECK(efl_node_create(options, NULL) == NULL); /* rule 2 */
  CHECK(efl_peer_find("nobody", status) == NULL);
  CHECK(efl_status_code(status) == EFL_NOT_FOUND);
  efl_options_free(options);
  efl_status_free(status);
  efl_status_free(NULL); /* rule 1 */
  efl_options_free(NULL);
  efl_node_free(NULL);
  efl_peer_release(NULL);
}

static int released = 0;
static void on_release(void* token) {
  CHECK(token == &released);
  __atomic_add_fetch(&released, 1, __ATOMIC_SEQ_CST);
}

static void test_tensor(party* leader, party* follower) {
  const float values[] = {1, 2, 3};
  const int64_t dims[] = {3};
  efl_tensor tensor = {"x", 5, 1, 1, dims, values, sizeof(values), on_release, &released};
  ending *sent = ending_new(), *received = ending_new();
  efl_call send = call_of(sent), receive = call_of(received);
  efl_peer_receive_tensor(leader->peer, "x", 5, on_allocate, &receive);
  efl_peer_send_tensor(follower->peer, &tensor, &send);
  expect(sent, EFL_OK, "OK");
  ending_wait(received);
  CHECK(received->code == EFL_OK);
  CHECK(received->rank == 1);
  CHECK(memcmp(received->values, values, sizeof(values)) == 0);
  free(received);
}

/* What a node's files are has to be known before it listens. */
static void test_governance(void) {
  efl_status* status = efl_status_create();
  efl_options* options = efl_options_create();
  set(options, "listen_address", "127.0.0.1:0");
  set(options, "egress_policy", "/nonexistent/policy.json");
  CHECK(efl_node_create(options, status) == NULL);
  CHECK(efl_status_code(status) == EFL_INVALID_ARGUMENT);
  CHECK(strstr(efl_status_text(status), "(egress_policy) '/nonexistent/policy.json'") != NULL);
  set(options, "egress_policy", "");
  set(options, "audit_log", "/nonexistent/audit.jsonl");
  CHECK(efl_node_create(options, status) == NULL);
  CHECK(strstr(efl_status_text(status), "(audit_log) '/nonexistent/audit.jsonl'") != NULL);
  efl_options_free(options);
  efl_status_free(status);
}

/* A node whose peer was refused for its name can have one of another name. */
static void test_name_taken(const party* other) {
  party at;
  efl_status* status = efl_status_create();
  at.options = efl_options_create();
  set(at.options, "listen_address", "127.0.0.1:0");
  set(at.options, "name", "c-leader");
  at.node = efl_node_create(at.options, status);
  CHECK(at.node != NULL);
  set(at.options, "peer_address", "127.0.0.1:1");
  CHECK(efl_node_add_peer(at.node, at.options, status) == NULL);
  CHECK(efl_status_code(status) == EFL_ALREADY_EXISTS);
  set(at.options, "name", "c-another");
  party_meet(&at, other);
  party_free(&at);
  efl_status_free(status);
}

static void test_errors(party* leader, party* follower) {
  const float value = 1;
  efl_tensor tensor = {"unknown", 5, 1, 0, NULL, &value, sizeof(value), NULL, NULL};
  ending *sent = ending_new(), *grouped = ending_new(), *overdue = ending_new();
  efl_call send = call_of(sent), group = call_of(grouped), late = call_of(overdue);
  efl_status* status = efl_status_create();
  efl_peer_send_tensor(follower->peer, &tensor, &send);
  expect(sent, EFL_NOT_FOUND, "send tensor 'unknown' step 5, peer 127.0.0.1:");
  group.group = 77;
  efl_peer_receive_tensor(leader->peer, "x", 6, on_allocate, &group);
  CHECK(efl_peer_pending(leader->peer) == 1);
  efl_peer_fail_group(leader->peer, 77, "the run has failed");
  expect(grouped, EFL_ABORTED, "the run has failed");
  late.timeout_ms = 30;
  efl_peer_receive_tensor(leader->peer, "x", 7, on_allocate, &late);
  expect(overdue, EFL_DEADLINE_EXCEEDED, "the peer has not sent it");
  efl_peer_register_tensor(leader->peer, "x", 2, -1, NULL, status);
  CHECK(efl_status_code(status) == EFL_ALREADY_EXISTS);
  CHECK(efl_node_add_peer(leader->node, leader->options, status) == NULL);
  CHECK(efl_status_code(status) == EFL_FAILED_PRECONDITION);
  test_name_taken(leader);
  efl_status_free(status);
}

static void test_control(party* leader, party* follower) {
  ending *answered = ending_new(), *asked = ending_new(), *ended = ending_new(),
         *told = ending_new(), *sent = ending_new(), *received = ending_new();
  efl_call calls[] = {call_of(answered), call_of(asked), call_of(ended),
                      call_of(told),     call_of(sent),  call_of(received)};
  efl_peer_send_reader_state(leader->peer, "train", "data_0.tfrd", 256, &calls[0]);
  efl_peer_receive_reader_state(follower->peer, "train", &calls[1]);
  ending_wait(asked);
  CHECK(strcmp(asked->result, "data_0.tfrd") == 0 && asked->index == 256);
  expect(answered, EFL_OK, "OK");
  expect(asked, EFL_OK, "OK");
  efl_peer_terminate_reader(leader->peer, "train", &calls[2]);
  efl_peer_receive_reader_state(follower->peer, "train", &calls[3]);
  expect(ended, EFL_OK, "OK");
  expect(told, EFL_OUT_OF_RANGE, "receive reader state 'train'");
  efl_peer_send_checkpoint_version(leader->peer, "1200", &calls[4]);
  efl_peer_receive_checkpoint_version(follower->peer, &calls[5]);
  ending_wait(received);
  CHECK(strcmp(received->result, "1200") == 0);
  expect(sent, EFL_OK, "OK");
  expect(received, EFL_OK, "OK");
}

static void test_step(party* leader) {
  efl_status* status = efl_status_create();
  efl_peer* found = efl_peer_find("c-leader", status);
  CHECK(found != NULL);
  CHECK(efl_peer_add_step(found) == 1);
  CHECK(efl_peer_step(leader->peer) == 1);
  efl_peer_reset_step(found);
  CHECK(efl_peer_step(leader->peer) == 0);
  CHECK(efl_peer_is_efls(found) == 0);
  efl_peer_release(found);
  efl_status_free(status);
}

/* The last state heard of, and how many. */
static int last_state = -1, states = 0;

static void on_state(void* token, int32_t state, int64_t since_ms, const efl_status* cause) {
  CHECK(token == &states);
  CHECK(since_ms > 0);
  CHECK(efl_status_code(cause) == EFL_OK);
  __atomic_store_n(&last_state, state, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&states, 1, __ATOMIC_SEQ_CST);
}

static void test_standing(party* leader) {
  efl_peer_stats stats;
  efl_peer_read_stats(leader->peer, &stats);
  CHECK(stats.state == EFL_PEER_READY);
  CHECK(stats.tensors_sent + stats.tensors_received > 0);
  CHECK(strcmp(efl_peer_wire(leader->peer), "link") == 0);
  const uint64_t removed = efl_peer_add_state_listener(leader->peer, on_state, &states);
  efl_peer_remove_state_listener(leader->peer, removed);
  CHECK(states == 1 && last_state == EFL_PEER_READY);
  efl_peer_add_state_listener(leader->peer, on_state, &states);
}

static void test_close(party* leader) {
  ending *pending = ending_new(), *after = ending_new();
  efl_call first = call_of(pending), second = call_of(after);
  efl_peer_receive_tensor(leader->peer, "x", 8, on_allocate, &first);
  efl_peer_close(leader->peer);
  expect(pending, EFL_CANCELLED, "closed while it was pending");
  efl_peer_receive_tensor(leader->peer, "x", 9, on_allocate, &second);
  expect(after, EFL_FAILED_PRECONDITION, "Already Closed.");
  efl_node_close(leader->node);
}

int main(void) {
  party leader, follower;
  ending *by_leader = ending_new(), *by_follower = ending_new();
  efl_call leads = call_of(by_leader), follows = call_of(by_follower);
  CHECK(strlen(efl_version()) > 0);
  test_status();
  test_governance();
  party_open(&leader, "leader", "c-leader");
  party_open(&follower, "follower", "c-follower");
  party_meet(&leader, &follower);
  party_meet(&follower, &leader);
  efl_peer_connect(leader.peer, &leads);
  efl_peer_connect(follower.peer, &follows);
  expect(by_leader, EFL_OK, "OK");
  expect(by_follower, EFL_OK, "OK");
  test_tensor(&leader, &follower);
  test_errors(&leader, &follower);
  test_control(&leader, &follower);
  test_step(&leader);
  test_standing(&leader);
  test_close(&leader);
  CHECK(states == 3 && last_state == EFL_PEER_CLOSED);
  party_free(&follower);
  party_free(&leader);
  CHECK(__atomic_load_n(&released, __ATOMIC_SEQ_CST) == 1);
  puts("ok");
  return 0;
}
