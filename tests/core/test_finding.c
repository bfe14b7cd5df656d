/* SPDX-License-Identifier: MIT */
#include "issued.h"

static void a_namesake_with_another_key_is_not_the_issuer(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_identity *namesake = authority(world, "CN=root", NULL);
    judge(world, LIST(f.leaf, f.sub), LIST(namesake));
    assert_refused(world, "signer_not_found", f.sub,
                   "the issuer of CN=sub (CN=root) was not sent; "
                   "one of that name is trusted, with another key",
                   "CN=leaf CN=sub");
}

static void a_namesake_without_key_ids_fails_the_signature(void **state) {
    struct world *world = *state;
    struct ms_recipe recipe = ca_recipe("CN=root");
    struct ms_identity *root = issue(world, recipe, NULL);
    struct ms_identity *namesake = issue(world, recipe, NULL);
    recipe = ca_recipe("CN=sub");
    recipe.omit_authority_key_id = true;
    struct ms_identity *sub = issue(world, recipe, root);
    struct ms_identity *end = leaf(world, sub);
    judge(world, LIST(end, sub), LIST(namesake));
    assert_refused(world, "signature_failure", sub,
                   "the signature of CN=sub was not made with the key of CN=root",
                   "CN=leaf CN=sub CN=root");
}

/* Judges root > sub > leaf at `now`, where only `which` ("root", ...) has the validity given. */
static struct family judge_at(struct world *world, const char *which, int64_t not_before,
                              int64_t not_after, int64_t now) {
    struct family f;
    struct ms_recipe recipe[3] = {ca_recipe("CN=root"), ca_recipe("CN=sub"),
                                  leaf_recipe("CN=leaf")};
    for (size_t i = 0; i < 3; i++) {
        bool chosen = strcmp(recipe[i].subject + 3, which) == 0;
        recipe[i].not_before = chosen ? not_before : NOON - 100 * DAY;
        recipe[i].not_after = chosen ? not_after : NOON + 100 * DAY;
    }
    f.root = issue(world, recipe[0], NULL);
    f.sub = issue(world, recipe[1], f.root);
    f.leaf = issue(world, recipe[2], f.sub);
    ms_clock_use(&(struct ms_clock){.set = true, .seconds = now}, 0, 0);
    judge(world, LIST(f.leaf, f.sub), LIST(f.root));
    return f;
}

static void validity_includes_both_its_ends(void **state) {
    struct world *world = *state;
    const char *const names[] = {"root", "sub", "leaf"};
    for (size_t i = 0; i < 3; i++) {
        char text[128];
        judge_at(world, names[i], NOON, NOON + 60, NOON);
        assert_verified(world, "CN=leaf CN=sub CN=root");
        judge_at(world, names[i], NOON, NOON + 60, NOON + 60);
        assert_verified(world, "CN=leaf CN=sub CN=root");
        struct family f = judge_at(world, names[i], NOON, NOON + 60, NOON - 1);
        struct ms_identity *const culprits[] = {f.root, f.sub, f.leaf};
        snprintf(text, sizeof text,
                 "CN=%s is not valid before 2023-11-14T22:13:20Z, it is now 2023-11-14T22:13:19Z",
                 names[i]);
        assert_refused(world, "not_activated", culprits[i], text, "CN=leaf CN=sub CN=root");
        f = judge_at(world, names[i], NOON, NOON + 60, NOON + 61);
        struct ms_identity *const late[] = {f.root, f.sub, f.leaf};
        snprintf(text, sizeof text,
                 "CN=%s was valid until 2023-11-14T22:14:20Z, it is now 2023-11-14T22:14:21Z",
                 names[i]);
        assert_refused(world, "expired", late[i], text, "CN=leaf CN=sub CN=root");
    }
}

static void the_clock_that_runs_is_moved_by_its_offset(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    ms_clock_use(&(struct ms_clock){.set = true, .seconds = NOON}, DAY, 0);
    judge(world, LIST(f.leaf, f.sub), LIST(f.root));
    assert_true(world->result.verified);
    ms_clock_use(&(struct ms_clock){.set = true, .seconds = NOON}, DAY + 1, 0);
    judge(world, LIST(f.leaf, f.sub), LIST(f.root));
    assert_problems(world, "expired");
    ms_clock_use(&(struct ms_clock){.set = true, .seconds = NOON}, DAY, 1);
    judge(world, LIST(f.leaf, f.sub), LIST(f.root));
    assert_true(world->result.verified);
}

static void an_expired_trusted_intermediate_is_named(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_recipe recipe = ca_recipe("CN=old");
    recipe.not_after = NOON - 1;
    struct ms_identity *old = issue(world, recipe, f.root);
    struct ms_identity *end = leaf(world, old);
    const char *text = "CN=old was valid until 2023-11-14T22:13:19Z, "
                       "it is now 2023-11-14T22:13:20Z";
    judge(world, LIST(end, old), LIST(old));
    assert_refused(world, "expired", old, text, "CN=leaf CN=old");
    judge(world, LIST(end), LIST(old));
    assert_refused(world, "expired", old, text, "CN=leaf CN=old");
    world->demand.flags = GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS;
    judge(world, LIST(end), LIST(old));
    assert_verified(world, "CN=leaf CN=old");
    world->demand.flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS;
    judge(world, LIST(end, old), LIST(f.root));
    assert_verified(world, "CN=leaf CN=old CN=root");
}

static void a_trusted_root_may_be_exempt_from_its_validity(void **state) {
    struct world *world = *state;
    world->demand.flags = GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS;
    judge_at(world, "root", NOON - 60, NOON - 1, NOON);
    assert_verified(world, "CN=leaf CN=sub CN=root");
    struct family f = judge_at(world, "sub", NOON - 60, NOON - 1, NOON);
    assert_problems(world, "expired");
    assert_true(ms_certificate_equal(world->result.certificate, ms_identity_leaf(f.sub)));
}

static void who_signs_without_being_a_ca_is_named(void **state) {
    struct world *world = *state;
    struct ms_identity *root = authority(world, "CN=root", NULL);
    struct ms_recipe recipe = ca_recipe("CN=sub");
    recipe.ca = MS_FALSE;
    struct ms_identity *sub = issue(world, recipe, root);
    struct ms_identity *end = leaf(world, sub);
    judge(world, LIST(end, sub), LIST(root));
    assert_refused(world, "signer_not_ca", sub,
                   "CN=sub signed CN=leaf but is no CA (its basic constraints say so)",
                   "CN=leaf CN=sub CN=root");
    recipe.ca = MS_NIL;
    sub = issue(world, recipe, root);
    end = leaf(world, sub);
    judge(world, LIST(end, sub), LIST(root));
    assert_refused(world, "signer_not_ca", sub,
                   "CN=sub signed CN=leaf but is no CA (it has no basic constraints)",
                   "CN=leaf CN=sub CN=root");
    world->demand.flags = GNUTLS_VERIFY_DISABLE_CA_SIGN;
    judge(world, LIST(end, sub), LIST(root));
    assert_true(world->result.verified);
}

static void an_insecure_signature_is_named(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_recipe recipe = leaf_recipe("CN=old");
    recipe.digest = "sha1";
    struct ms_identity *old = issue(world, recipe, f.sub);
    judge(world, LIST(old, f.sub), LIST(f.root));
    assert_refused(world, "insecure_algorithm", old,
                   "CN=old is signed with ECDSA-SHA1, which is not secure",
                   "CN=old CN=sub CN=root");
    world->demand.flags = GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1;
    judge(world, LIST(old, f.sub), LIST(f.root));
    assert_verified(world, "CN=old CN=sub CN=root");
    /* A root's own signature is nobody's concern. */
    world->demand.flags = 0;
    recipe = ca_recipe("CN=old root");
    recipe.digest = "sha1";
    struct ms_identity *root = issue(world, recipe, NULL);
    judge(world, LIST(leaf(world, root)), LIST(root));
    assert_verified(world, "CN=leaf CN=old root");
}

static void a_key_below_the_profile_is_named(void **state) {
    struct world *world = *state;
    struct ms_key *strong = ms_key_generate("ecdsa-p384", NULL);
    struct ms_key *weak = ms_key_generate("ecdsa-p256", NULL);
    struct ms_recipe recipe = ca_recipe("CN=root");
    recipe.digest = "sha384";
    struct ms_identity *root = issue_for(world, recipe, NULL, strong);
    recipe = leaf_recipe("CN=leaf");
    recipe.digest = "sha384";
    struct ms_identity *end = issue_for(world, recipe, root, weak);
    world->demand.flags = GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_ULTRA);
    judge(world, LIST(end), LIST(root));
    assert_refused(world, "insecure_algorithm", end,
                   "CN=leaf (a key of 256 bits for EC/ECDSA, signed with ECDSA-SHA384) "
                   "is weaker than demanded",
                   "CN=leaf CN=root");
    recipe = ca_recipe("CN=weak root");
    struct ms_identity *weak_root = issue_for(world, recipe, NULL, weak);
    recipe = leaf_recipe("CN=leaf");
    recipe.digest = "sha384";
    end = issue_for(world, recipe, weak_root, strong);
    judge(world, LIST(end), LIST(weak_root));
    assert_problems(world, "insecure_algorithm");
    assert_string_equal(subject_of(world->result.certificate), "CN=weak root");
    ms_key_release(strong);
    ms_key_release(weak);
}

static void an_unknown_critical_extension_is_named(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    static const uint8_t null[] = {5, 0};
    struct ms_extension odd = {.oid = "1.2.3.4", .critical = true, .der = {null, sizeof null}};
    struct ms_recipe recipe = leaf_recipe("CN=odd");
    recipe.extensions = &odd;
    recipe.num_extensions = 1;
    struct ms_identity *end = issue(world, recipe, f.sub);
    judge(world, LIST(end, f.sub), LIST(f.root));
    assert_refused(world, "unknown_crit_extensions", end,
                   "CN=odd has a critical extension that GnuTLS does not understand, 1.2.3.4",
                   "CN=odd CN=sub CN=root");
    recipe = ca_recipe("CN=odd sub");
    recipe.extensions = &odd;
    recipe.num_extensions = 1;
    struct ms_identity *sub = issue(world, recipe, f.root);
    judge(world, LIST(leaf(world, sub), sub), LIST(f.root));
    assert_problems(world, "unknown_crit_extensions");
    assert_true(ms_certificate_equal(world->result.certificate, ms_identity_leaf(sub)));
    world->demand.flags = GNUTLS_VERIFY_IGNORE_UNKNOWN_CRIT_EXTENSIONS;
    judge(world, LIST(end, f.sub), LIST(f.root));
    assert_true(world->result.verified);
    odd.critical = false;
    world->demand.flags = 0;
    recipe = leaf_recipe("CN=odd");
    recipe.extensions = &odd;
    recipe.num_extensions = 1;
    judge(world, LIST(issue(world, recipe, f.sub), f.sub), LIST(f.root));
    assert_true(world->result.verified);
}

static void a_purpose_binds_the_leaf_and_the_intermediates(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_recipe recipe = leaf_recipe("CN=client");
    recipe.purposes = TEXTS("client");
    struct ms_identity *client = issue(world, recipe, f.sub);
    judge(world, LIST(client, f.sub), LIST(f.root));
    assert_true(world->result.verified);
    world->demand.purpose = MS_PURPOSE_SERVER;
    judge(world, LIST(client, f.sub), LIST(f.root));
    assert_refused(world, "purpose_mismatch", client,
                   "CN=client is not for server authentication (its extended key usage)",
                   "CN=client CN=sub CN=root");
    recipe = ca_recipe("CN=client ca");
    recipe.purposes = TEXTS("client");
    struct ms_identity *sub = issue(world, recipe, f.root);
    judge(world, LIST(leaf(world, sub), sub), LIST(f.root));
    assert_refused(world, "purpose_mismatch", sub,
                   "CN=client ca is not for server authentication "
                   "(its extended key usage binds what it issues, too)",
                   "CN=leaf CN=client ca CN=root");
    world->demand.purpose = MS_PURPOSE_CLIENT;
    judge(world, LIST(leaf(world, sub), sub), LIST(f.root));
    assert_true(world->result.verified);
    recipe = leaf_recipe("CN=none");
    recipe.purposes = NOTHING;
    judge(world, LIST(issue(world, recipe, f.sub), f.sub), LIST(f.root));
    assert_true(world->result.verified);
    recipe.purposes = TEXTS("any");
    judge(world, LIST(issue(world, recipe, f.sub), f.sub), LIST(f.root));
    assert_true(world->result.verified);
}

static void judge_name(struct world *world, struct family f, struct ms_recipe recipe,
                       const char *name) {
    world->demand.name = name;
    judge(world, LIST(issue(world, recipe, f.sub), f.sub), LIST(f.root));
}

static void the_name_is_the_leafs(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_recipe recipe = leaf_recipe("CN=x.example");
    recipe.dns = TEXTS("a.example", "*.b.example");
    judge_name(world, f, recipe, "A.example");
    assert_true(world->result.verified);
    judge_name(world, f, recipe, "www.b.example");
    assert_true(world->result.verified);
    judge_name(world, f, recipe, "b.example");
    assert_problems(world, "unexpected_owner");
    assert_string_equal(world->result.text,
                        "the certificate is for a.example, *.b.example, not for b.example");
    assert_string_equal(subject_of(world->result.certificate), "CN=x.example");
    assert_path(world, "CN=x.example CN=sub CN=root");
    judge_name(world, f, recipe, "x.example");
    assert_problems(world, "unexpected_owner");
}

static void an_address_matches_addresses_only(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_recipe recipe = leaf_recipe("CN=192.0.2.1");
    recipe.dns = TEXTS("192.0.2.1", "a.example");
    judge_name(world, f, recipe, "192.0.2.1");
    assert_problems(world, "unexpected_owner");
    recipe.ip = TEXTS("192.0.2.1", "2001:db8::1");
    judge_name(world, f, recipe, "192.0.2.1");
    assert_true(world->result.verified);
    judge_name(world, f, recipe, "2001:db8:0::1");
    assert_true(world->result.verified);
    recipe.dns = TEXTS("a.example");
    judge_name(world, f, recipe, "192.0.2.2");
    assert_string_equal(world->result.text, "the certificate is for a.example, 192.0.2.1, "
                                            "2001:db8::1, not for 192.0.2.2");
}

static void a_certificate_may_name_no_host(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_recipe recipe = leaf_recipe("CN=plain.example");
    recipe.dns = NOTHING;
    judge_name(world, f, recipe, "plain.example");
    assert_true(world->result.verified);
    judge_name(world, f, recipe, "other.example");
    assert_string_equal(world->result.text,
                        "the certificate is for plain.example, not for other.example");
    recipe = leaf_recipe("O=nobody");
    recipe.dns = NOTHING;
    judge_name(world, f, recipe, "other.example");
    assert_string_equal(world->result.text, "the certificate names no host, not for other.example");
}

static void many_names_are_not_all_spelt_out(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_recipe recipe = leaf_recipe("CN=many");
    recipe.dns = TEXTS("a", "b", "c", "d", "e", "f");
    judge_name(world, f, recipe, "z.example");
    assert_string_equal(world->result.text,
                        "the certificate is for a, b, c, d and 2 more, not for z.example");
}

static void a_subject_may_be_empty_or_hostile(void **state) {
    struct world *world = *state;
    struct ms_identity *root = authority(world, "CN=root", NULL);
    struct ms_identity *end = issue(world, leaf_recipe(""), root);
    judge(world, LIST(end), NULL);
    assert_string_equal(world->result.text, "the issuer of a certificate without a subject "
                                            "(CN=root) was not sent and is not trusted");
    end = issue(world, leaf_recipe("CN=a\\0A\\1B[2Jb"), root);
    judge(world, LIST(end), NULL);
    for (const char *c = world->result.text; *c; c++) {
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    }
}

static void several_problems_are_all_told_in_a_stable_order(void **state) {
    struct world *world = *state;
    struct family f = found(world);
    struct ms_recipe recipe = leaf_recipe("CN=poor");
    recipe.not_after = NOON - 1;
    recipe.digest = "sha1";
    recipe.purposes = TEXTS("client");
    struct ms_identity *poor = issue(world, recipe, f.sub);
    world->demand.purpose = MS_PURPOSE_SERVER;
    world->demand.name = "other.example";
    judge(world, LIST(poor, f.sub), LIST(f.root));
    assert_refused(world, "insecure_algorithm expired purpose_mismatch unexpected_owner", poor,
                   "CN=poor is signed with ECDSA-SHA1, which is not secure; "
                   "CN=poor was valid until 2023-11-14T22:13:19Z, it is now 2023-11-14T22:13:20Z; "
                   "CN=poor is not for server authentication (its extended key usage); "
                   "the certificate is for leaf.example, not for other.example",
                   "CN=poor CN=sub CN=root");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, clear_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_namesake_with_another_key_is_not_the_issuer),
        TEST(a_namesake_without_key_ids_fails_the_signature),
        TEST(validity_includes_both_its_ends),
        TEST(the_clock_that_runs_is_moved_by_its_offset),
        TEST(an_expired_trusted_intermediate_is_named),
        TEST(a_trusted_root_may_be_exempt_from_its_validity),
        TEST(who_signs_without_being_a_ca_is_named),
        TEST(an_insecure_signature_is_named),
        TEST(a_key_below_the_profile_is_named),
        TEST(an_unknown_critical_extension_is_named),
        TEST(a_purpose_binds_the_leaf_and_the_intermediates),
        TEST(the_name_is_the_leafs),
        TEST(an_address_matches_addresses_only),
        TEST(a_certificate_may_name_no_host),
        TEST(many_names_are_not_all_spelt_out),
        TEST(a_subject_may_be_empty_or_hostile),
        TEST(several_problems_are_all_told_in_a_stable_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
