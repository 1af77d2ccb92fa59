// The texts of a room of agent-chatroom, language es.
export default {
  "room.title": "Sala de chat",
  "room.name": "Tu nombre",
  "room.name.hint": "Todos en la sala lo ven.",
  "room.password": "Contraseña de la sala",
  "room.wrong": "Contraseña incorrecta.",
  "room.rename": "Cambiar de nombre",
};
