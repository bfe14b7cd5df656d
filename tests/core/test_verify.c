/* SPDX-License-Identifier: MIT */
#include "issued.h"

static void a_chain_to_a_trusted_root_is_verified(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    world->demand.name = "leaf.example";
    world->demand.purpose = MS_PURPOSE_SERVER;
    judge(world, LIST(f.leaf, f.sub), LIST(f.root));
    assert_verified(world, "CN=leaf CN=sub CN=root");
    assert_string_equal(world->result.text, "the path of 3 certificates to a trusted one is valid");
    world->demand.purpose = MS_PURPOSE_CLIENT;
    judge(world, LIST(f.leaf, f.sub), LIST(f.root));
    assert_verified(world, "CN=leaf CN=sub CN=root");
}

static void a_root_that_is_sent_along_changes_nothing(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    judge(world, LIST(f.leaf, f.sub, f.root), LIST(f.root));
    assert_verified(world, "CN=leaf CN=sub CN=root");
    judge(world, LIST(f.leaf, f.sub, f.root), LIST(authority(world, "CN=other", NULL)));
    assert_refused(world, "signer_not_found", f.root, "CN=root is self-signed and not trusted",
                   "CN=leaf CN=sub CN=root");
}

static void a_trusted_intermediate_ends_the_path(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    judge(world, LIST(f.leaf), LIST(f.sub));
    assert_verified(world, "CN=leaf CN=sub");
    judge(world, LIST(f.leaf, f.sub), LIST(f.sub));
    assert_verified(world, "CN=leaf CN=sub");
    judge(world, LIST(f.leaf, f.sub, f.root), LIST(f.sub));
    assert_verified(world, "CN=leaf CN=sub");
}

static void a_trusted_leaf_is_a_path_of_its_own(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    judge(world, LIST(f.leaf), LIST(f.leaf));
    assert_verified(world, "CN=leaf");
    assert_string_equal(world->result.text, "the path of 1 certificate to a trusted one is valid");
    struct ms_identity *alone = issue(world, leaf_recipe("CN=alone"), NULL);
    judge(world, LIST(alone), LIST(alone));
    assert_verified(world, "CN=alone");
    judge(world, LIST(alone), LIST(f.root));
    assert_refused(world, "signer_not_found", alone, "CN=alone is self-signed and not trusted",
                   "CN=alone");
}

static void an_authority_renewed_under_its_key_ends_the_path(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_identity *other = authority(world, "CN=other", NULL);
    struct ms_identity *crossed =
        issue_for(world, ca_recipe("CN=sub"), other, ms_identity_key(f.sub));
    judge(world, LIST(f.leaf, f.sub), LIST(crossed));
    assert_verified(world, "CN=leaf CN=sub");
    assert_true(ms_certificate_equal(world->result.path.items[1], ms_identity_leaf(crossed)));
}

static void a_renewed_root_takes_the_place_of_the_expired_one(void **state) {
    struct world *world = *state;
    struct ms_recipe recipe = ca_recipe("CN=root");
    recipe.not_after = NOON - 1;
    struct ms_identity *old = issue(world, recipe, NULL);
    struct ms_identity *new = issue_for(world, ca_recipe("CN=root"), NULL, ms_identity_key(old));
    struct ms_identity *end = leaf(world, old);
    judge(world, LIST(end, old), LIST(old, new));
    assert_verified(world, "CN=leaf CN=root");
    assert_true(ms_certificate_equal(world->result.path.items[1], ms_identity_leaf(new)));
    judge(world, LIST(end, old), LIST(old));
    assert_problems(world, "expired");
    assert_true(ms_certificate_equal(world->result.certificate, ms_identity_leaf(old)));
}

static void nobody_trusted_trusts_nobody(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    world->demand.name = "other.example";
    judge(world, LIST(f.leaf, f.sub), NULL);
    assert_refused(world, "signer_not_found unexpected_owner", f.sub,
                   "the issuer of CN=sub (CN=root) was not sent and is not trusted; "
                   "the certificate is for leaf.example, not for other.example",
                   "CN=leaf CN=sub");
    judge(world, LIST(f.leaf, f.sub), LIST(NULL));
    assert_problems(world, "signer_not_found unexpected_owner");
    assert_path(world, "CN=leaf CN=sub");
}

static void a_missing_intermediate_is_named(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    judge(world, LIST(f.leaf), LIST(f.root));
    assert_refused(world, "signer_not_found", f.leaf,
                   "the issuer of CN=leaf (CN=sub) was not sent and is not trusted", "CN=leaf");
    judge(world, LIST(f.leaf, f.root), LIST(f.root));
    assert_refused(world, "signer_not_found", f.leaf,
                   "the issuer of CN=leaf (CN=sub) was not sent and is not trusted", "CN=leaf");
    /* The leaf itself does not vouch for what stands behind it. */
    judge(world, LIST(f.leaf, f.sub), LIST(f.leaf));
    assert_refused(world, "signer_not_found", f.sub,
                   "the issuer of CN=sub (CN=root) was not sent and is not trusted",
                   "CN=leaf CN=sub");
}

static void reordered_duplicated_and_extra_certificates_do_no_harm(void **state) {
    struct world *world = *state;
    struct ms_identity *root = authority(world, "CN=root", NULL);
    struct ms_identity *a = authority(world, "CN=a", root);
    struct ms_identity *b = authority(world, "CN=b", a);
    struct ms_identity *end = leaf(world, b);
    struct ms_identity *stranger = authority(world, "CN=stranger", NULL);
    judge(world, LIST(end, a, b), LIST(root));
    assert_verified(world, "CN=leaf CN=b CN=a CN=root");
    judge(world, LIST(end, end, b, b, a, a), LIST(root));
    assert_verified(world, "CN=leaf CN=b CN=a CN=root");
    judge(world, LIST(end, stranger, root, a, b), LIST(root));
    assert_verified(world, "CN=leaf CN=b CN=a CN=root");
    /* The first is the one that is judged, wherever the leaf is. */
    judge(world, LIST(b, a, end), LIST(root));
    assert_verified(world, "CN=b CN=a CN=root");
}

static void an_unsorted_chain_is_refused_where_told_so(void **state) {
    struct world *world = *state;
    struct ms_identity *root = authority(world, "CN=root", NULL);
    struct ms_identity *a = authority(world, "CN=a", root);
    struct ms_identity *b = authority(world, "CN=b", a);
    struct ms_identity *end = leaf(world, b);
    world->demand.flags = GNUTLS_VERIFY_DO_NOT_ALLOW_UNSORTED_CHAIN;
    judge(world, LIST(end, b, a), LIST(root));
    assert_verified(world, "CN=leaf CN=b CN=a CN=root");
    judge(world, LIST(end, a, b), LIST(root));
    assert_refused(world, "signer_not_found", end,
                   "the issuer of CN=leaf (CN=b) was sent, but not right after it, "
                   "and an unsorted chain is not allowed",
                   "CN=leaf");
}

/* `length` intermediates below a root; chain[0] is the leaf, chain[length] the topmost. */
static struct ms_identity *descend(struct world *world, struct ms_identity **chain, size_t length) {
    struct ms_identity *root = authority(world, "CN=root", NULL);
    struct ms_identity *above = root;
    for (size_t i = length; i > 0; i--) {
        char subject[32];
        snprintf(subject, sizeof subject, "CN=ca %zu", i);
        above = chain[i] = authority(world, subject, above);
    }
    chain[0] = leaf(world, above);
    chain[length + 1] = NULL;
    return root;
}

static void reverse(struct ms_identity **chain, size_t length) {
    for (size_t i = 1, j = length; i < j; i++, j--) {
        struct ms_identity *swapped = chain[i];
        chain[i] = chain[j];
        chain[j] = swapped;
    }
}

static void the_last_sixteen_certificates_are_sorted(void **state) {
    struct world *world = *state;
    struct ms_identity *chain[21];
    world->demand.max_depth = 0;
    struct ms_identity *root = descend(world, chain, 15);
    reverse(chain, 15);
    judge(world, chain, LIST(root));
    assert_true(world->result.verified);
    assert_int_equal(world->result.path.num, 17);

    root = descend(world, chain, 16);
    reverse(chain, 16);
    judge(world, chain, LIST(root));
    assert_refused(world, "signer_not_found", chain[0],
                   "the issuer of CN=leaf (CN=ca 1) was sent, but not right after it, "
                   "and GnuTLS sorts only the last 16 certificates of a chain",
                   "CN=leaf");

    root = descend(world, chain, 19);
    reverse(chain + 4, 15);
    judge(world, chain, LIST(root));
    assert_true(world->result.verified);
    assert_int_equal(world->result.path.num, 21);
    judge(world, chain, LIST(authority(world, "CN=other", NULL)));
    assert_problems(world, "signer_not_found");
    assert_string_equal(subject_of(world->result.certificate), "CN=ca 19");
    assert_int_equal(world->result.path.num, 20);
}

static void a_stranger_is_not_blamed_for_a_missing_issuer(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_identity *other = authority(world, "CN=other", NULL);
    struct ms_identity *stranger = authority(world, "CN=stranger", other);
    judge(world, LIST(f.leaf, stranger), LIST(f.root));
    assert_refused(world, "signer_not_found", f.leaf,
                   "the issuer of CN=leaf (CN=sub) was not sent and is not trusted", "CN=leaf");
}

static void the_depth_limit_counts_what_was_sent(void **state) {
    struct world *world = *state;
    struct ms_identity *chain[18];
    struct ms_identity *root = descend(world, chain, 16);
    judge(world, chain, LIST(root));
    assert_problems(world, "depth_exceeded");
    assert_string_equal(world->result.text, "the chain has 17 certificates, the limit is 16");
    assert_null(world->result.certificate);
    assert_int_equal(world->result.status, 0xffffffff);
    assert_int_equal(world->result.path.num, 17);
    world->demand.max_depth = 17;
    judge(world, chain, LIST(root));
    assert_true(world->result.verified);
    assert_int_equal(world->result.path.num, 18);
    world->demand.max_depth = 16;
    struct ms_identity *last = chain[16];
    chain[16] = NULL;
    judge(world, chain, LIST(last));
    assert_true(world->result.verified);
    assert_int_equal(world->result.path.num, 17);
}

static void a_chain_of_hundreds_is_verified_without_a_limit(void **state) {
    struct world *world = *state;
    static struct ms_identity *chain[302];
    world->demand.max_depth = 0;
    struct ms_identity *root = descend(world, chain, 300);
    judge(world, chain, LIST(root));
    assert_true(world->result.verified);
    assert_int_equal(world->result.path.num, 302);
}

static void certificates_that_name_each_other_end_somewhere(void **state) {
    struct world *world = *state;
    struct ms_identity *a = authority(world, "CN=a", NULL);
    struct ms_identity *b = authority(world, "CN=b", NULL);
    struct ms_identity *a_by_b = issue_for(world, ca_recipe("CN=a"), b, ms_identity_key(a));
    struct ms_identity *b_by_a = issue_for(world, ca_recipe("CN=b"), a, ms_identity_key(b));
    struct ms_identity *end = leaf(world, a);
    judge(world, LIST(end, a_by_b, b_by_a), LIST(authority(world, "CN=c", NULL)));
    assert_problems(world, "signer_not_found");
    assert_path(world, "CN=leaf CN=a CN=b");
}

static void a_certificate_that_cannot_be_parsed_is_a_result(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    static const uint8_t garbage[] = {0x30, 3, 1, 2, 3};
    struct ms_certificate *bad =
        ms_certificate_new((struct ms_slice){garbage, sizeof garbage}, NULL);
    struct ms_certificates chain = leaves_of(LIST(f.leaf));
    assert_true(ms_certificates_add(&chain, bad));
    assert_true(ms_verify(&chain, &world->demand, &world->result, NULL));
    assert_problems(world, "malformed_certificate");
    assert_true(world->result.certificate == bad);
    assert_string_equal(world->result.text, "certificate 2 of the chain cannot be parsed");
    assert_path(world, "CN=leaf");
    assert_false(world->result.verified);
    assert_int_equal(world->result.status, 0xffffffff);
    ms_certificates_clear(&chain);

    ms_verification_clear(&world->result);
    assert_true(ms_certificates_begin(&chain) && ms_certificates_add(&chain, bad));
    assert_true(ms_verify(&chain, &world->demand, &world->result, NULL));
    assert_problems(world, "malformed_certificate");
    assert_non_null(world->result.path.items);
    assert_int_equal(world->result.path.num, 0);
    struct ms_error error;
    assert_null(ms_trust_new(&chain, &error));
    assert_true(strlen(error.text) > 0);
    ms_certificates_clear(&chain);
    ms_certificate_release(bad);
}

/* Byte after byte of each certificate of the chain is changed. */
static void a_chain_with_any_byte_changed_is_judged_and_refused(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_certificates anchors = leaves_of(LIST(f.root));
    world->demand.trust = ms_trust_new(&anchors, NULL);
    world->demand.name = "leaf.example";
    world->demand.purpose = MS_PURPOSE_SERVER;
    struct ms_certificates sent = leaves_of(LIST(f.leaf, f.sub));
    for (size_t which = 0; which < sent.num; which++) {
        struct ms_slice der = ms_certificate_der(sent.items[which]);
        uint8_t changed[1024];
        assert_in_range(der.len, 1, sizeof changed);
        for (size_t at = 0; at < der.len; at++) {
            memcpy(changed, der.data, der.len);
            changed[at] ^= (uint8_t)(1U << at % 8);
            struct ms_certificates chain = {0};
            assert_true(ms_certificates_copy(&chain, &sent));
            ms_certificate_release(chain.items[which]);
            chain.items[which] = ms_certificate_new((struct ms_slice){changed, der.len}, NULL);
            ms_verification_clear(&world->result);
            assert_true(ms_verify(&chain, &world->demand, &world->result, NULL));
            assert_false(world->result.verified);
            assert_true(world->result.problems.num > 0 && strlen(world->result.text) > 0);
            ms_certificates_clear(&chain);
        }
    }
    ms_certificates_clear(&sent);
    ms_certificates_clear(&anchors);
    ms_trust_release(world->demand.trust);
}

static void no_certificate_is_not_judged(void **state) {
    struct world *world = *state;
    struct ms_certificates chain = leaves_of(NULL);
    struct ms_error error = {0};
    assert_false(ms_verify(&chain, &world->demand, &world->result, &error));
    ms_certificates_clear(&chain);
    assert_string_equal(error.text, "there is no certificate to verify");
    assert_false(world->result.present);
}

static void a_trust_is_shared_and_tells_its_anchors(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_certificates anchors = leaves_of(LIST(f.root, f.root, f.sub));
    struct ms_trust *trust = ms_trust_new(&anchors, NULL);
    assert_non_null(trust);
    ms_certificates_clear(&anchors);
    assert_ptr_equal(ms_trust_retain(trust), trust);
    ms_trust_release(trust);
    assert_int_equal(ms_trust_anchors(trust)->num, 3);
    assert_ptr_equal(ms_trust_anchors(trust)->items[2], ms_identity_leaf(f.sub));
    struct ms_certificates chain = leaves_of(LIST(f.leaf, f.sub));
    world->demand.trust = trust;
    for (int i = 0; i < 3; i++) {
        ms_verification_clear(&world->result);
        assert_true(ms_verify(&chain, &world->demand, &world->result, NULL));
        assert_true(world->result.verified);
    }
    ms_certificates_clear(&chain);
    ms_trust_release(trust);
    ms_trust_release(NULL);
}

static void the_systems_store_has_no_list_of_anchors(void **state) {
    struct world *world = *state;
    struct ms_error error = {0};
    struct ms_trust *trust = ms_trust_system(&error);
    if (!trust) { /* a machine without one */
        assert_true(strlen(error.text) > 0);
        return;
    }
    assert_null(ms_trust_anchors(trust)->items);
    struct family f = found(world);
    struct ms_certificates chain = leaves_of(LIST(f.leaf, f.sub));
    world->demand.trust = trust;
    assert_true(ms_verify(&chain, &world->demand, &world->result, NULL));
    assert_problems(world, "signer_not_found");
    ms_certificates_clear(&chain);

    /* Anchors of the store are met as strangers. */
    gnutls_x509_trust_list_iter_t iterator = NULL;
    gnutls_x509_crt_t crt;
    assert_int_equal(gnutls_x509_trust_list_iter_get_ca(ms_trust_list(trust), &iterator, &crt), 0);
    gnutls_datum_t der;
    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
    struct ms_certificate *anchor = ms_certificate_new((struct ms_slice){der.data, der.size}, NULL);
    ms_clock_use(
        &(struct ms_clock){.set = true, .seconds = gnutls_x509_crt_get_activation_time(crt)}, 0, 0);
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_trust_list_iter_deinit(iterator);
    assert_true(ms_certificates_begin(&chain) && ms_certificates_add(&chain, anchor));
    ms_verification_clear(&world->result);
    assert_true(ms_verify(&chain, &world->demand, &world->result, NULL));
    assert_problems(world, "");
    assert_int_equal(world->result.path.num, 1);
    assert_true(ms_certificate_equal(world->result.path.items[0], anchor));
    ms_certificates_clear(&chain);
    ms_certificate_release(anchor);
    ms_trust_release(trust);
}

static void a_copy_outlives_the_original(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    world->demand.name = "other.example";
    judge(world, LIST(f.leaf, f.sub), LIST(f.root));
    struct ms_verification copy = {0};
    assert_true(ms_verification_copy(&copy, &world->result));
    ms_verification_clear(&world->result);
    assert_false(world->result.present);
    world->result = copy;
    assert_true(world->result.present);
    assert_problems(world, "unexpected_owner");
    assert_ptr_equal(world->result.certificate, ms_identity_leaf(f.leaf));
    assert_path(world, "CN=leaf CN=sub CN=root");
    struct ms_verification nothing = {0};
    assert_true(ms_verification_copy(&copy, &nothing));
    assert_false(copy.present);
    assert_null(copy.problems.items);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, clear_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_chain_to_a_trusted_root_is_verified),
        TEST(a_root_that_is_sent_along_changes_nothing),
        TEST(a_trusted_intermediate_ends_the_path),
        TEST(a_trusted_leaf_is_a_path_of_its_own),
        TEST(an_authority_renewed_under_its_key_ends_the_path),
        TEST(a_renewed_root_takes_the_place_of_the_expired_one),
        TEST(nobody_trusted_trusts_nobody),
        TEST(a_chain_with_any_byte_changed_is_judged_and_refused),
        TEST(a_missing_intermediate_is_named),
        TEST(reordered_duplicated_and_extra_certificates_do_no_harm),
        TEST(an_unsorted_chain_is_refused_where_told_so),
        TEST(the_last_sixteen_certificates_are_sorted),
        TEST(a_stranger_is_not_blamed_for_a_missing_issuer),
        TEST(the_depth_limit_counts_what_was_sent),
        TEST(a_chain_of_hundreds_is_verified_without_a_limit),
        TEST(certificates_that_name_each_other_end_somewhere),
        TEST(a_certificate_that_cannot_be_parsed_is_a_result),
        TEST(no_certificate_is_not_judged),
        TEST(a_trust_is_shared_and_tells_its_anchors),
        TEST(the_systems_store_has_no_list_of_anchors),
        TEST(a_copy_outlives_the_original),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
