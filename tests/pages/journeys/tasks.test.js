// Tasks in the chat: a person answers what an agent asks, takes work and finishes it, asks, and sees who has what.

import assert from "node:assert/strict";
import { test } from "node:test";

import { live, shows } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { fourPictures, picture, withPage } from "../lib/page.js";
import { until } from "../lib/until.js";

const row = (member, id) => member.call("GET", `/tasks/${id}`);
/** The task under the message with this text. */
const task = (page, text) => page.locator(".row", { hasText: text }).filter({ has: page.locator(".task-box") }).locator(".task-box").first();
const state = async (page, text, expected) => task(page, text).locator(".task-state").getByText(expected, { exact: true }).waitFor();

test("tasks on a phone: answered, taken, finished, given back, by touch", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel();
    const agent = await channel.join("agent");
    await withPage(hub, { width: 320, height: 640, touch: true }, async page => {
      await page.goto(channel.url("miguel"));
      await live(page);
      const asked = await agent.send({ to: "miguel", message: "Is the schema frozen?", wants: "answer" });
      await state(page, "Is the schema frozen?", "Open");
      await picture(page, "tasks-question-320");
      await task(page, "Is the schema frozen?").getByRole("button", { name: "Answer" }).tap();
      await page.locator(".composer-task").getByLabel("Your reply is").waitFor();
      await picture(page, "tasks-answering-320");
      await page.getByRole("textbox", { name: "Message" }).fill("Yes, since 10:40");
      await page.getByRole("button", { name: "Send", exact: true }).tap();
      await state(page, "Is the schema frozen?", "Answered");
      const answered = await row(agent, asked.id);
      assert.deepEqual([answered.state, answered.answers.map(({ text }) => text)], ["done", ["Yes, since 10:40"]]);
      // The answer is linked, and leads to its message.
      await task(page, "Is the schema frozen?").getByRole("button", { name: /You/ }).tap();
      await until("the answer has the focus", () => page.locator("article:focus").innerText().then(text => text.includes("since 10:40")));
      // Work: taken, given back, taken by the agent, which sees all of it.
      const other = await channel.join("other");
      const work = await agent.send({ message: "Fix the flaky test in poll.rs", wants: "work", thread: "ci" });
      await state(page, "Fix the flaky test", "Open");
      await task(page, "Fix the flaky test").getByRole("button", { name: "Take it" }).tap();
      await state(page, "Fix the flaky test", "Taken");
      await task(page, "Fix the flaky test").getByText(/You have it until/).waitFor();
      assert.equal((await row(agent, work.id)).holder, "miguel");
      await picture(page, "tasks-taken-320");
      await task(page, "Fix the flaky test").getByRole("button", { name: "Give back" }).tap();
      await state(page, "Fix the flaky test", "Open");
      const { fence } = await other.call("POST", `/tasks/${work.id}/take`, {});
      await task(page, "Fix the flaky test").getByText(/other has it until/).waitFor();
      assert.equal(await task(page, "Fix the flaky test").locator(".buttons button").count(), 0, "it is left alone");
      await other.send({ message: "Which branch?", reply_to: work.id, state: "input", fence });
      await state(page, "Fix the flaky test", "Waits for an answer");
      await agent.send({ message: "main", reply_to: work.id });
      await other.send({ message: "It was a clock", reply_to: work.id, state: "done", fence });
      await state(page, "Fix the flaky test", "Done");
      await page.locator(".row", { hasText: "It was a clock" }).getByText("Result").waitFor();
      await page.locator(".row .text", { hasText: "It was a clock" }).scrollIntoViewIfNeeded();
      await picture(page, "tasks-done-320");
    });
  });
});

test("tasks on a desktop: asked, followed live, on the board, by keyboard", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel();
    const [bob, carol] = [await channel.join("bob"), await channel.join("carol")];
    await bob.send({ message: "Translate the docs", wants: "work", quiet: true });
    const closed = await bob.send({ message: "Long done", wants: "work" });
    const { fence: first } = await carol.call("POST", `/tasks/${closed.id}/take`, {});
    await carol.send({ message: "here", reply_to: closed.id, state: "done", fence: first });
    await withPage(hub, { width: 1280, height: 800, mayLog: /409/ }, async page => {
      await page.goto(channel.url("ann"));
      await live(page);
      await state(page, "Long done", "Done");
      // Asking, by keyboard.
      await page.getByRole("button", { name: "Ask for an answer or for work" }).focus();
      await page.keyboard.press("Enter");
      await page.locator(".composer-task").waitFor();
      await page.getByLabel("What the message wants").selectOption("work");
      await page.getByLabel("Deadline").selectOption("3600");
      await picture(page, "tasks-asking");
      await page.getByRole("textbox", { name: "Message" }).focus();
      await page.keyboard.type("Review the parser");
      await page.keyboard.press("Enter");
      await state(page, "Review the parser", "Open");
      const asked = (await bob.listen()).find(({ text }) => text === "Review the parser");
      assert.equal(asked.wants, "work");
      assert.ok(asked.deadline - asked.at <= 3_600_000);
      const { fence } = await bob.call("POST", `/tasks/${asked.id}/take`, {});
      await task(page, "Review the parser").getByText(/bob has it until/).waitFor();
      await page.locator(".member", { hasText: "bob" }).getByText("has 1 task").waitFor();
      assert.match(await page.getByRole("log", { name: "New messages" }).innerText(), /bob has the task until .*Review the parser/u);
      await bob.send({ message: "All of it?", reply_to: asked.id, state: "input", fence });
      await task(page, "Review the parser").getByRole("button", { name: "Reply" }).click();
      await page.keyboard.type("Only the lexer");
      await page.keyboard.press("Enter");
      await state(page, "Review the parser", "Taken");
      // A question with a deadline, and one that is withdrawn.
      await page.getByRole("button", { name: "Ask for an answer or for work" }).click();
      await page.getByLabel("How many answers").selectOption("2");
      await page.getByRole("textbox", { name: "Message" }).fill("Who is on call?");
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await state(page, "Who is on call?", "Open");
      const question = (await bob.listen()).find(({ text }) => text === "Who is on call?");
      assert.equal(question.answers, 2);
      await bob.send({ message: "I am", reply_to: question.id });
      await task(page, "Who is on call?").getByRole("button", { name: /bob/ }).waitFor();
      await state(page, "Who is on call?", "Open");
      await task(page, "Who is on call?").getByRole("button", { name: "Withdraw" }).click();
      await state(page, "Who is on call?", "Withdrawn");
      // The board.
      await page.getByRole("button", { name: /^Tasks: 2 open$/ }).click();
      const board = page.locator(".board");
      await board.getByText("1 for you").waitFor();
      await fourPictures(page, "tasks-board");
      await board.locator("li", { hasText: "Translate the docs" }).getByRole("button", { name: "Take it" }).click();
      await board.locator("li", { hasText: "Translate the docs" }).getByText(/You have it until/).waitFor();
      await board.locator("li", { hasText: "Translate the docs" }).getByRole("button", { name: "Finish" }).click();
      await page.keyboard.type("Translated");
      await page.keyboard.press("Enter");
      await until("it is done", async () => (await bob.call("GET", "/tasks")).tasks.find(({ text }) => text === "Translate the docs").state === "done");
      await bob.send({ message: "Reviewed", reply_to: asked.id, state: "done", fence });
      await board.getByText("No task is open.").waitFor();
      await board.getByText(/closed/).click();
      await board.locator("li", { hasText: "Review the parser" }).getByText("Done", { exact: true }).waitFor();
      await picture(page, "tasks-board-closed");
      // Taken by another at the same moment: the page says so, and shows how it is.
      const late = await bob.send({ message: "Only once", wants: "work" });
      await page.route("**/take", async route => {
        await carol.call("POST", `/tasks/${late.id}/take`, {});
        await route.continue();
      });
      await task(page, "Only once").getByRole("button", { name: "Take it" }).click();
      await task(page, "Only once").getByText("Somebody else has this task.").waitFor();
      await task(page, "Only once").getByText(/carol has it until/).waitFor();
    });
  });
});

test("tasks after a restart: durable ones go on, others are gone, and Spanish has its words", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel();
    const agent = await channel.join("agent");
    await withPage(hub, { width: 390, locale: "es-ES", mayLog: /net::ERR|Failed to load|503/ }, async page => {
      await page.goto(channel.url("miguel"));
      await live(page);
      await agent.send({ message: "¿Quién revisa esto?", wants: "answer" });
      await state(page, "¿Quién revisa esto?", "Abierta");
      await picture(page, "tasks-es");
      await hub.kill();
      await hub.start();
      await live(page);
      await shows(page, "¿Quién revisa esto?");
      await state(page, "¿Quién revisa esto?", "Ya no está en el tablero");
    });
  });
});
