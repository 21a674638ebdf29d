"""Bugs that somebody could write, each with the test that finds it at once. None of them is in the product."""

from dataclasses import dataclass

from tests.planted.planting import Change, plant

DECIDE = "approval_rules.decide"
CLAIMS = "approval_rules.claims"
TRANSACTION = "bot.store.transaction:Transaction"
PAUSE_CHECK = "    if switch.stops(proposal.agent.id, proposal.tool) is not None:\n        return Refusal.PAUSED\n"
KILLS = "tests/crash/test_engine_kills.py"
S = "tests/scenarios"
R = "tests/rules"


@dataclass(frozen=True, slots=True)
class Bug:
    """`what` goes wrong, the changes that make it so, and the tests that notice soonest."""

    name: str
    what: str
    finder: str
    changes: tuple[Change, ...]


def _bug(name: str, what: str, finder: str, *changes: tuple[str, str, str]) -> Bug:
    return Bug(name, what, finder, tuple(Change(*change) for change in changes))


BUGS = (
    _bug(
        "clicks-are-counted",
        "the quorum counts clicks, not people",
        f"{R}/test_votes.py::test_a_click_that_says_the_same_again_is_refused",
        (
            "approval_rules.state:evolve",
            "tuple(old for old in proposal.votes if old.voter != event.voter)",
            "proposal.votes",
        ),
        (f"{DECIDE}:_said_before", "return any(", "return False and any("),
        (
            "approval_rules.quorum:tally",
            "_filled(wanted, voters, backup) == len(wanted)",
            "len([v for v in votes if v.decision is Decision.APPROVE and v.voter in roles]) >= len(wanted)",
        ),
    ),
    _bug(
        "owner-votes",
        "the agent's owner may vote",
        f"{R}/test_duties.py",
        ("approval_rules.duties:why_not", "voter.is_one_with(proposal.agent.owner)", "False"),
    ),
    _bug(
        "initiator-votes",
        "whoever started the run may vote",
        f"{R}/test_duties.py",
        ("approval_rules.duties:why_not", "voter.is_one_with(proposal.started_by)", "False"),
    ),
    _bug(
        "role-not-checked",
        "an empty list of approvers means everybody",
        f"{S}/test_who_may_vote.py::test_an_empty_list_of_approvers_means_nobody",
        (
            "approval_rules.duties:counting_roles",
            "voter.roles & (asked",
            "frozenset(asked",
        ),
    ),
    _bug(
        "denial-ignored",
        "a no does not deny",
        f"{R}/test_votes.py::test_a_no_denies_at_once",
        ("approval_rules.quorum:tally", 'return "denied"', 'return "open"'),
    ),
    _bug(
        "voters-not-asked-again",
        "an earlier voter who lost the role still counts",
        f"{R}/test_votes.py::test_an_earlier_voter_who_lost_the_role_does_not_count",
        (
            f"{DECIDE}:_vote",
            "still_counting(standings.values(), proposal)",
            "{vote.voter: frozenset(vote.roles) for vote in after.votes}",
        ),
    ),
    _bug(
        "approvers-not-asked-again",
        "a claim does not ask whether the approvers still may approve",
        f"{R}/test_claims.py::test_changed_approvers_revoke",
        (f"{CLAIMS}:_requirements_refusal", "return Refusal.APPROVERS_CHANGED", "pass"),
    ),
    _bug(
        "digest-not-compared",
        "a vote or a claim for another digest counts",
        f"{R}/test_claims.py::test_another_digest_gets_nothing",
        (f"{DECIDE}:_vote_refusal", "command.seen != proposal.digest", "False"),
        (f"{CLAIMS}:_claim_refusal", "command.digest != proposal.digest", "False"),
    ),
    _bug(
        "any-message-votes",
        "a button works on any message, also on an old packet",
        f"{R}/test_votes.py::test_a_reposted_packet_makes_the_old_buttons_dead",
        (
            f"{DECIDE}:_vote_refusal",
            " or (proposal.packet.channel, proposal.packet.ts) != (command.channel, command.ts)",
            "",
        ),
    ),
    _bug(
        "claim-in-shadow",
        "a trial run ends like the real thing",
        f"{R}/test_shadow.py::test_an_approval_in_shadow_permits_nothing_and_is_the_end",
        (f"{CLAIMS}:judge_claim", "proposal.requirement.shadow is not None", "False"),
        (f"{DECIDE}:_approved", "timedelta() if requirement.shadow else CLAIM_WITHIN", "CLAIM_WITHIN"),
        (
            "approval_rules.state:_decided",
            "None if proposal.requirement.shadow else event.claim_by",
            "event.claim_by",
        ),
    ),
    _bug(
        "claim-in-a-pause",
        "a claim does not look at the pause",
        f"{R}/test_claims.py::test_no_claim_during_a_pause",
        (f"{CLAIMS}:_claim_refusal", PAUSE_CHECK, ""),
    ),
    _bug(
        "revoking-pause-holds",
        "a pause that revokes only holds, and what it took back runs after the resume",
        f"{R}/test_revoking_pause.py",
        (f"{CLAIMS}:taken_back", "if unclaimed else None", "if False else None"),
    ),
    _bug(
        "vote-in-a-pause",
        "a vote counts during a pause",
        f"{S}/test_pauses.py::test_a_pause_stops_everything_that_it_covers",
        (f"{DECIDE}:_vote_refusal", PAUSE_CHECK, ""),
    ),
    _bug(
        "pause-read-too-early",
        "a claim reads the pause before its transaction",
        "tests/faults/test_pause_races.py",
        (
            "bot.desk.agents:AgentUseCases.claim",
            "        accounts = await snapshot.accounts(",
            "        switch = await snapshot.switch()\n        accounts = await snapshot.accounts(",
        ),
        (
            "bot.desk.agents:AgentUseCases.claim",
            "            claimed, refused = _claim(tx, agent,",
            "            tx._switch = switch\n            claimed, refused = _claim(tx, agent,",
        ),
    ),
    _bug(
        "expired-in-a-pause",
        "time passes during a pause",
        f"{R}/test_deadlines.py::test_nothing_expires_and_nobody_is_reminded_during_a_pause",
        (f"{DECIDE}:_pass_time", " or switch.stops(proposal.agent.id, proposal.tool) is not None", ""),
    ),
    _bug(
        "thaw-moves-nothing",
        "a deadline does not move by the pause",
        f"{R}/test_deadlines.py::test_thaw_moves_the_deadline_once",
        (f"{DECIDE}:_thaw", "proposal.deadline + still", "proposal.deadline"),
    ),
    _bug(
        "one-person-resumes",
        "one person resumes everything",
        f"{R}/test_switch.py::test_everything_is_resumed_by_two_people",
        (f"{DECIDE}:_resume", "scope == EVERYTHING and not seconded", "False"),
    ),
    _bug(
        "deadline-included",
        "the deadline itself is still in time",
        f"{R}/test_votes.py::test_a_vote_at_exactly_the_deadline_is_late",
        (f"{DECIDE}:_vote_refusal", "command.at >= proposal.expires_at", "command.at > proposal.expires_at"),
        (f"{CLAIMS}:_claim_refusal", "command.at >= proposal.claim_by", "command.at > proposal.claim_by"),
    ),
    _bug(
        "second-claim",
        "the permission is given twice",
        f"{S}/test_claims.py::test_twenty_claims_at_once_give_one_permission",
        (f"{CLAIMS}:not_unused", "if proposal.execution is not None:", "if False:"),
    ),
    _bug(
        "key-without-body",
        "an idempotency key ignores the body",
        f"{S}/test_idempotency.py::test_the_same_key_with_another_body_is_refused",
        ("bot.desk.agents:_replay", "use.body_digest != intake.body_digest", "False"),
    ),
    _bug(
        "replay-acts",
        "the same signed click again acts again",
        f"{S}/test_clicks.py::test_a_replayed_click_has_no_effect",
        (
            "bot.desk.people:_fingerprint",
            "hashlib.sha256(request_id.encode()).hexdigest()",
            '__import__("uuid").uuid4().hex',
        ),
    ),
    _bug(
        "unknown-is-eligible",
        "somebody whom Slack cannot vouch for may vote",
        f"{S}/test_slack_trouble.py::test_no_yes_while_slack_knows_nobody",
        (
            "bot.directory:SlackDirectory._look_up",
            "        if isinstance(user.value, Flaw):\n",
            (
                "        if user.value is Flaw.DIRECTORY_DOWN:\n"
                "            return Member(account.user_id, None, roles, known_at, full_member=True)\n"
                "        if isinstance(user.value, Flaw):\n"
            ),
        ),
    ),
    _bug(
        "refusal-unrecorded",
        "a click that does not count leaves no trace",
        f"{S}/test_clicks.py::test_a_stale_click_is_answered",
        (
            "bot.desk.apply:apply",
            "for event in events:",
            'for event in [one for one in events if type(one).__name__ != "VoteRefused"]:',
        ),
    ),
    _bug(
        "ack-before-commit",
        "callers are answered before COMMIT",
        KILLS,
        (
            "bot.store.commit:commit",
            '        crash_point("before-commit")\n',
            (
                "        from bot.store.writer import answer\n"
                '        answer([job for job in batch if hasattr(job, "loop")])\n'
                '        crash_point("before-commit")\n'
            ),
        ),
    ),
    _bug(
        "effects-after-commit",
        "the outbox is written after the decision is committed",
        KILLS,
        (
            f"{TRANSACTION}.flush",
            "for sql, planned in writes.items():",
            (
                'self.late = {sql: rows for sql, rows in writes.items() if "INTO outbox" in sql}\n'
                "        for sql, planned in [one for one in writes.items() if one[0] not in self.late]:"
            ),
        ),
        (
            "bot.store.commit:commit",
            '        crash_point("after-commit")\n',
            (
                '        crash_point("after-commit")\n'
                "        for sql, rows in transaction.late.items():\n"
                "            connection.executemany(sql, rows)\n"
            ),
        ),
    ),
    _bug(
        "no-mark-before-sending",
        "a row is not marked before its message leaves",
        f"{S}/test_slack_trouble.py::test_a_crash_between_posting_and_recording_leaves_one_packet",
        (
            "bot.delivery.worker:Attempt.begin",
            "await self._wiring.writer.run(",
            "return  # await self._wiring.writer.run(",
        ),
    ),
    _bug(
        "orphans-forgotten",
        "what was being sent at a crash is never looked at again",
        f"{S}/test_slack_trouble.py::test_a_crash_between_posting_and_recording_leaves_one_packet",
        ("bot.store.outbox:DUE", "IN ('queued', 'sending')", "IN ('queued')"),
    ),
    _bug(
        "posted-again",
        "a packet is posted again after a lost answer",
        f"{S}/test_slack_trouble.py::test_a_lost_answer_and_a_failing_search_leave_one_packet",
        (
            "bot.delivery.slack_post:SlackSenders._settled",
            "if tried is not None and (attempt.orphaned or row.last_error in _UNSURE):",
            "if False:",
        ),
    ),
    _bug(
        "update-forgotten",
        "a change during an update is never shown",
        f"{S}/test_pauses.py::test_a_packet_that_is_posted_during_the_pause_is_frozen",
        ("bot.store.outbox:_FINISH", "THEN 'queued' ELSE", "THEN 'done' ELSE"),
    ),
    _bug(
        "callback-id-changes",
        "each attempt of a callback has another id",
        f"{S}/test_callbacks.py::test_a_failed_callback_comes_again_under_the_same_id",
        ("bot.delivery.agent_callback:CallbackSender.__call__", "msg_{row.id}_", "msg_{row.id}_{row.attempts}_"),
    ),
    _bug(
        "callback-given-up",
        "a callback that got a 500 counts as delivered",
        "tests/bot/delivery/test_callback_delivery.py",
        (
            "bot.delivery.callback:deliver",
            "if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:",
            "if answer.status != HTTPStatus.GONE:",
        ),
    ),
    _bug(
        "index-left-behind",
        "the index row is not written with the event",
        f"{S}/test_main_job.py",
        (f"{TRANSACTION}.flush", "in self._batch.proposals.values():", "in list(self._batch.proposals.values())[1:]:"),
    ),
    _bug(
        "links-of-the-batch",
        "an entry links to the start of its batch, not to the one before",
        f"{S}/test_main_job.py",
        (f"{TRANSACTION}.record", "prev=self._head", "prev=self._undo[1]"),
    ),
    _bug(
        "failed-unit-kept",
        "a unit that raised leaves its rows in the batch",
        f"{S}/test_main_job.py",
        ("bot.store.commit:_run_unit", "transaction.drop_unit()", "transaction.keep_unit()"),
    ),
    _bug(
        "dial-in-doubt",
        "whoever leaves out a field that a dial reads is asked by a milder rule below it",
        f"{R}/test_dial.py::test_a_dial_in_doubt_asks_no_fewer_people",
        ("approval_rules.policy:_ask_stands", "rule.verdict == Allow() for", "isinstance(rule.verdict, Allow) for"),
    ),
    _bug(
        "dial-told-in-advance",
        "an agent can look for words that the dial lets through",
        f"{S}/test_dial.py::test_no_agent_can_look_for_lucky_words",
        ("bot.desk.agents:AgentUseCases.evaluate", ", drawn=False", ""),
    ),
    _bug(
        "limit-passed-together",
        "a counter does not see what was taken in a moment before",
        f"{S}/test_counters.py::test_a_limit_is_not_passed_within_one_commit",
        ("bot.store.tally:_before", "for loaded in planned.values():", "for loaded in ():"),
    ),
    _bug(
        "agent-text-as-markup",
        "an agent's words are mrkdwn",
        "tests/handlers/slack/test_slack_packet.py::test_no_hostile_proposal_breaks_a_packet",
        ("handlers.slack.blocks:section", "plain(text)", '{"type": "mrkdwn", "text": text}'),
    ),
    _bug(
        "redaction-skipped",
        "a field that policy hides is shown",
        "tests/handlers/slack/test_slack_packet.py::test_what_policy_hides_is_in_no_packet_and_no_modal",
        (
            "handlers.slack.packet:packet",
            "arguments_of(proposal.arguments, proposal.requirement.hidden, personal)",
            "arguments_of(proposal.arguments, {}, personal)",
        ),
    ),
    _bug(
        "own-factor-confirmed",
        "a person confirms his own second factor",
        f"{R}/test_factors.py",
        ("approval_rules.factors:_not_another", "if wish.own or wish.by == human(wish.person):", "if False:"),
    ),
    _bug(
        "codes-count-twice",
        "the code of an authenticator app counts as often as it is typed",
        "tests/bot/test_one_time_codes.py::test_a_step_counts_once",
        ("bot.one_time_codes:accepted_step", "right and step > last", "right"),
    ),
    _bug(
        "batch-reads-old-counters",
        "two votes of one commit each read what was committed before",
        f"{S}/test_second_factors.py::test_a_code_counts_once_for_two_at_once",
        ("bot.store.credentials:credentials_of", "tx.planned_rows(_PUT)", "()"),
    ),
    _bug(
        "passkeys-without-a-person",
        "a passkey that never checked who holds it confirms a vote",
        "tests/bot/desk/test_passkey_votes.py",
        ("bot.desk.passkey_proof:signed", "require_user_verification=True", "require_user_verification=False"),
    ),
    _bug(
        "pages-answered-twice",
        "the link to a page takes as many answers as it is sent",
        "tests/bot/desk/test_passkey_votes.py",
        ("bot.desk.confirming:Confirming._proved", "if not ticket.open_at(tx.at):", "if False:"),
    ),
    _bug(
        "passkeys-confirm-what-changed",
        "a passkey confirms a proposal to which something happened since the question",
        "tests/bot/desk/test_passkey_votes.py",
        ("bot.desk.confirming:Confirming._proved", "if refusal is not None:", "if False:"),
    ),
    _bug(
        "tickets-of-others",
        "a ticket votes for whoever brings it",
        f"{S}/test_second_factors.py::test_a_ticket_is_for_its_person_and_its_proposal",
        ("bot.desk.code_votes:_ticket", "ticket.person != person", "False"),
    ),
    _bug(
        "second-account-votes",
        "a second account of one person counts as a second vote",
        f"{S}/test_persons.py::test_the_same_person_from_two_accounts_is_one_vote",
        (
            "approval_rules.duties:humans",
            "found |= dict.fromkeys(everyone, min(names))",
            "found[standing.person] = standing.person",
        ),
    ),
    _bug(
        "factor-forgotten-at-the-claim",
        "a claim does not ask whether the approvers proved themselves as the policy asks now",
        f"{R}/test_claims_under_another_policy.py",
        (f"{CLAIMS}:_is_met", "if suffices(vote.proof, asked.step_up)", "if True"),
    ),
    _bug(
        "delegate-without-role",
        "a delegate decides by the right of whoever is away",
        f"{S}/test_away.py::test_a_delegate_who_lost_the_role_stands_for_nobody",
        (
            f"{DECIDE}:decide",
            "return _vote(proposal, command, switch)",
            (
                "widened = command.voter.roles.union(*(one.roles for one in command.absent))\n"
                "            from dataclasses import replace\n"
                "            voter = replace(command.voter, roles=widened)\n"
                "            return _vote(proposal, replace(command, voter=voter), switch)"
            ),
        ),
    ),
    _bug(
        "anybody-is-a-delegate",
        "who shares no role with somebody may be named to stand in",
        f"{R}/test_away.py::test_what_is_refused",
        ("approval_rules.away:_refusal", "None if shared else Refusal.DELEGATE_NOT_IN_ROLE", "None"),
    ),
    _bug(
        "resume-forgets-what-was-revoked",
        "what a revoking pause has not reached yet runs after the resume",
        f"{R}/test_revoking_pause.py::test_a_claim_after_the_resume_finds_the_rest_taken_back",
        (
            "approval_rules.switch:Switch.takes_back",
            "if pause.ended_at is None or approved_at <= pause.since",
            "if pause.ended_at is None",
        ),
    ),
    _bug(
        "revoked-while-reading",
        "a claim in a revoking pause, before the batch that takes it back, is only paused",
        f"{R}/test_revoking_pause.py::test_a_claim_before_the_sweep_finds_it_taken_back",
        ("approval_rules.switch:Switch.takes_back", "if pause.revokes and", "if False and"),
    ),
    _bug(
        "turn-of-everybody",
        "a packet says who has the turn in roles that it does not wait for",
        f"{S}/test_on_call.py",
        ("bot.desk.on_duty:_asked", "if shift.role in roles", "if True"),
    ),
    _bug(
        "turn-not-in-packet",
        "a packet does not say whose turn it is",
        "tests/handlers/slack/test_slack_on_duty.py",
        (
            "handlers.slack.standing:on_duty_words",
            "[_on_duty(shift, seen) for shift in proposal.on_duty[:_MANY]]",
            "[]",
        ),
    ),
    _bug(
        "shown-before-recorded",
        "an original is shown and nothing says so",
        f"{S}/test_revealing.py::test_whoever_has_the_role_sees_the_original_alone_and_on_record",
        ("bot.desk.revealing:RevealUseCases._look", "if isinstance(look, Uncovered):", "if False:"),
    ),
    _bug(
        "review-link-for-everybody",
        "a link to a weekly review opens in every browser",
        f"{S}/test_weekly_review.py::test_a_link_opens_once_in_one_browser",
        (
            "bot.desk.week_links:WeekLinks.opened",
            "if not await written(self._wiring, lambda tx: tx.first_seen(name)):",
            "if False:",
        ),
    ),
    _bug(
        "links-for-ever",
        "a signed link is never over",
        f"{S}/test_new_keys.py::test_a_link_is_over_after_ten_minutes",
        ("bot.desk.signed_links:SignedLinks.read", "None if seconds < 0 else SignedLink(", "SignedLink("),
    ),
    _bug(
        "new-key-twice",
        "a link to an agent's new key makes one each time",
        f"{S}/test_new_keys.py::test_a_link_makes_one_key",
        ("bot.desk.new_keys:_over", "if at == seq:", "if True:"),
    ),
    _bug(
        "new-key-for-operators",
        "whoever may end an agent's keys gets the new one",
        f"{S}/test_new_keys.py::test_somebody_else_ends_the_keys_and_the_owner_makes_the_new_one",
        ("bot.desk.new_keys:_why_not", "if not standing.is_one_with(agent.owner):", "if False:"),
    ),
    _bug(
        "slow-slack-leaves-doubt",
        "whoever clicks while Slack is slow hears of no refusal, and none is recorded",
        f"{S}/test_hostile_people.py::test_a_slow_slack_is_a_refusal_before_the_clicker_is_left_in_doubt",
        ("bot.directory:SlackDirectory.look_up", "asyncio.timeout(_LOOK_UP_SECONDS)", "asyncio.timeout(9)"),
    ),
    _bug(
        "clicks-shown-as-seats",
        "two approvals of one role are shown as 2 of 2, though another role is missing",
        "tests/handlers/slack/test_slack_sentences.py::test_two_of_one_role_are_not_two_of_two",
        (
            "handlers.slack.standing:progress",
            "filled(proposal.approved_by, seats, proposal.backup)",
            "len(proposal.approved_by)",
        ),
    ),
    _bug(
        "leavers-are-called",
        "a reminder calls people who can decide nothing",
        f"{S}/test_backup.py::test_who_can_decide_nothing_is_not_called",
        ("bot.delivery.calling:_who_may", "if members[accounts[user]].flaw in _CALLED", "if True"),
    ),
    _bug(
        "review-hides-self-approval",
        "the weekly review does not list what people tried to decide on their own behalf",
        "tests/bot/review/test_findings.py",
        ("bot.review.findings:_of_event", "case VoteRefused() if event.code in _OWN:", "case VoteRefused() if False:"),
    ),
    _bug(
        "review-signed-by-strangers",
        "anybody may sign a weekly review off",
        f"{S}/test_weekly_review.py::test_a_stranger_reads_signs_and_flags_nothing",
        (
            "bot.desk.weekly:_not_in",
            "None if roles & (member.roles | member.off_duty) else Refusal.NOT_IN_ROLE",
            "None",
        ),
    ),
    _bug(
        "thaw-forgets-one",
        "a resume leaves a deadline where it was",
        f"{S}/test_thawing.py::test_hundreds_are_thawed_in_batches_and_exactly",
        ("bot.desk.thawing:thaw_these", "for proposal in proposals:", "for proposal in proposals[1:]:"),
    ),
    _bug(
        "judged-before-thawed",
        "whoever acts before a proposal's turn to be thawed meets the deadline from before the pause",
        f"{S}/test_thawing.py::test_a_claim_before_its_turn_is_given",
        (
            "bot.desk.apply:known",
            "return None if loaded is None else apply(tx, loaded, Thaw(tx.at, loaded.proposal.id)).loaded",
            "return loaded",
        ),
    ),
    _bug(
        "personal-kept-with-the-record",
        "personal arguments are kept as long as the record is",
        f"{S}/test_personal_arguments.py::test_personal_arguments_go_after_30_days_and_the_others_stay",
        ("bot.store.codec:encode", "if event.requirement.personal:", "if False:"),
    ),
    _bug(
        "half-an-action-is-decided",
        "the term of a value ends while people still decide about it",
        f"{S}/test_personal_arguments.py::test_what_is_still_open_keeps_them",
        ("bot.store.holds:end_terms", " | {(Held.PROPOSAL, row[0]) for row in still_open}", ""),
    ),
)
BY_NAME = {bug.name: bug for bug in BUGS}


def plant_named(name: str | None) -> None:
    """Plant a bug by its name; nothing where there is none."""
    for change in BY_NAME[name].changes if name else ():
        plant(change)
