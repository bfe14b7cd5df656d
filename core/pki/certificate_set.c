/* SPDX-License-Identifier: MIT */
/* An AA tree (A. Andersson, "Balanced search trees made simple", 1993): unlike a hash table it has
 * no worst case that a peer could bring about. Nodes are numbered, since the array moves. */
#include "certificate_set.h"

#include "memory.h"

#include <string.h>

enum { DEEPEST = 128 }; /* twice the logarithm of as many nodes as there can be */

static struct ms_certificate_node *node_at(const struct ms_certificate_set *set, size_t number) {
    return &set->nodes[number - 1];
}

static int compare(struct ms_slice a, struct ms_slice b) {
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return a.len > 0 ? memcmp(a.data, b.data, a.len) : 0;
}

/* The depth is bounded for a signal handler's sake, which may find the tree half changed. */
struct ms_certificate *ms_certificate_set_find(const struct ms_certificate_set *set,
                                               struct ms_slice der) {
    size_t at = set->top;
    for (int depth = 0; at > 0 && depth < DEEPEST; depth++) {
        const struct ms_certificate_node *node = node_at(set, at);
        int order = compare(der, ms_certificate_der(node->certificate));
        if (order == 0) {
            return node->certificate;
        }
        at = order < 0 ? node->left : node->right;
    }
    return NULL;
}

/* No left child is of its parent's level: it becomes the parent. */
static size_t skew(struct ms_certificate_set *set, size_t top) {
    struct ms_certificate_node *node = node_at(set, top);
    size_t left = node->left;
    if (left == 0 || node_at(set, left)->level != node->level) {
        return top;
    }
    node->left = node_at(set, left)->right;
    node_at(set, left)->right = top;
    return left;
}

/* No right grandchild is of the same level: the child between becomes the parent of both. */
static size_t split(struct ms_certificate_set *set, size_t top) {
    struct ms_certificate_node *node = node_at(set, top);
    size_t right = node->right, beyond = right ? node_at(set, right)->right : 0;
    if (beyond == 0 || node_at(set, beyond)->level != node->level) {
        return top;
    }
    node->right = node_at(set, right)->left;
    node_at(set, right)->left = top;
    node_at(set, right)->level++;
    return right;
}

/* Returns the top of the tree that begins at `top` and now has `fresh` as well. */
static size_t insert(struct ms_certificate_set *set, size_t top, size_t fresh) {
    if (top == 0) {
        return fresh;
    }
    struct ms_certificate_node *node = node_at(set, top);
    if (compare(ms_certificate_der(node_at(set, fresh)->certificate),
                ms_certificate_der(node->certificate)) < 0) {
        node->left = insert(set, node->left, fresh);
    } else {
        node->right = insert(set, node->right, fresh);
    }
    return split(set, skew(set, top));
}

bool ms_certificate_set_add(struct ms_certificate_set *set, struct ms_certificate *certificate) {
    if (ms_certificate_set_find(set, ms_certificate_der(certificate))) {
        return true;
    }
    if (!ms_grow_array(&set->nodes, set->num, &set->capacity, sizeof *set->nodes)) {
        return false;
    }
    set->nodes[set->num++] =
        (struct ms_certificate_node){.certificate = ms_certificate_retain(certificate), .level = 1};
    set->top = insert(set, set->top, set->num);
    return true;
}

void ms_certificate_set_clear(struct ms_certificate_set *set) {
    for (size_t i = 0; i < set->num; i++) {
        ms_certificate_release(set->nodes[i].certificate);
    }
    ms_free(set->nodes);
    *set = (struct ms_certificate_set){0};
}
