// The texts of a room of agent-chatroom, language en.
export default {
  "room.title": "Chat room",
  "room.name": "Your name",
  "room.name.hint": "Everybody in the room sees it.",
  "room.password": "Password of the room",
  "room.wrong": "Wrong password.",
  "room.rename": "Change name",
};
